#include "crypto/key_file.h"

#include <algorithm>
#include <string_view>

#include "base/hex.h"
#include "crypto/digest.h"
#include "sys/secret_file.h"

namespace timepool::crypto {
namespace {

// A key is 66; a file that is longer by little is still said to be none.
constexpr std::size_t kMaxText = 4096;

}  // namespace

Result<SigningKey> load_signing_key(const std::string& path) {
  std::string text = TRY(sys::read_secret_file(path, kMaxText));
  std::string_view hex = text;
  while (!hex.empty() && (hex.back() == '\n' || hex.back() == '\r')) hex.remove_suffix(1);
  auto bytes = from_hex(hex);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  SigningKey::Seed seed{};
  if (!bytes.ok() || bytes->size() != seed.size()) {
    return fail(Error{ErrorCode::kCorrupt, "key file " + path,
                      "a key is 64 hexadecimal digits and a line end"});
  }
  std::copy(bytes->begin(), bytes->end(), seed.begin());
  SigningKey key = SigningKey::from_seed(seed);
  wipe(seed);
  wipe(*bytes);
  return key;
}

Result<SigningKey> create_signing_key(const std::string& path, const SigningKey::Seed& seed) {
  std::string text = to_hex(seed) + "\n";
  const Result<void> written = sys::create_secret_file(path, text);
  wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  if (!written.ok()) return fail(written.error());
  return SigningKey::from_seed(seed);
}

}  // namespace timepool::crypto
