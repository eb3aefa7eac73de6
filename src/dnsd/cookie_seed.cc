#include "dnsd/cookie_seed.h"

#include <algorithm>
#include <span>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "sys/random.h"
#include "sys/secret_file.h"

namespace timepool::dnsd {
namespace {

// The digits and a line's end; more is no seed.
constexpr std::size_t kMaxSeedText = 128;
constexpr std::string_view kLabel = "timepool dns cookie secret";

SiphashKey secret_of(const CookieSeed& seed, std::uint64_t epoch) {
  std::array<std::byte, kLabel.size() + 8> message;
  ByteWriter writer(message);
  writer.text(kLabel);
  writer.u32(static_cast<std::uint32_t>(epoch >> 32));
  writer.u32(static_cast<std::uint32_t>(epoch & 0xffff'ffff));
  crypto::Sha256 whole = crypto::hmac_sha256(seed, writer.written());
  const SiphashKey out = siphash_key(Bytes(whole).first(16));
  crypto::wipe(whole);
  return out;
}

}  // namespace

Result<CookieSeed> read_cookie_seed(const std::string& path) {
  std::string text = TRY(sys::read_secret_file(path, kMaxSeedText));
  const auto wipe = [](auto& bytes) { crypto::wipe(std::as_writable_bytes(std::span(bytes))); };
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto bytes = from_hex(text);
  wipe(text);
  CookieSeed out{};
  if (!bytes.ok() || bytes->size() != out.size()) {
    return fail(Error{ErrorCode::kInvalid, path, "expected 64 hexadecimal digits"});
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  wipe(*bytes);
  return out;
}

CookieSeed random_cookie_seed() {
  CookieSeed out;
  sys::fill_random(out);
  return out;
}

dns::CookieSecrets cookie_secrets(const CookieSeed& seed, Duration rotation, UnixTime now) {
  const std::int64_t seconds = rotation.ns() / 1'000'000'000;
  CHECK(seconds >= dns::CookieSecrets::kMinRotation && seconds * 1'000'000'000 == rotation.ns());
  // Before 1970 there are no epochs; one behind it has the number 1, so that there is one before.
  const std::int64_t epoch = std::max<std::int64_t>(now.seconds() / seconds, 1);
  dns::CookieSecrets out;
  out.rotation = static_cast<std::uint32_t>(seconds);
  out.epoch = static_cast<std::uint32_t>(epoch);
  for (std::size_t i = 0; i < out.keys.size(); ++i) {
    out.keys[i] = secret_of(seed, static_cast<std::uint64_t>(epoch - 1) + i);
  }
  return out;
}

}  // namespace timepool::dnsd
