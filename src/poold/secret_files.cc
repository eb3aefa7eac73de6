#include "poold/secret_files.h"

#include <algorithm>

#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "service/secrets.h"
#include "sys/file.h"
#include "sys/random.h"

namespace timepool::poold {
namespace {

constexpr std::size_t kMinToken = 16;
constexpr std::size_t kMaxToken = 256;

Error named(std::string setting, Error error) {
  error.operation = std::move(setting) + ": " + error.operation;
  return error;
}

}  // namespace

Result<crypto::SigningKey> load_or_create_key(const std::string& path) {
  auto key = crypto::load_signing_key(path);
  if (!key.ok() && key.error().code == ErrorCode::kNotFound) {
    crypto::SigningKey::Seed seed{};
    sys::fill_random(seed);
    key = crypto::create_signing_key(path, seed);
    crypto::wipe(seed);
  }
  if (!key.ok()) return fail(named("[publish] key_file", key.error()));
  return std::move(*key);
}

Result<std::string> load_or_create_token(const std::string& path, const std::string& setting) {
  auto text = sys::read_file(path, kMaxToken + 2);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
    text = service::random_token();
    const auto written = sys::write_file_atomic(path, *text + "\n", 0600);
    if (!written.ok()) return fail(named(setting, written.error()));
  }
  if (!text.ok()) return fail(named(setting, text.error()));
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  const bool printable =
      std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (text->size() < kMinToken || text->size() > kMaxToken || !printable) {
    return fail(Error{ErrorCode::kCorrupt, setting + ": " + path,
                      "expected a token of 16 to 256 printable characters"});
  }
  return std::move(*text);
}

}  // namespace timepool::poold
