#include "dns/cookie.h"

#include <algorithm>

#include "base/byte_writer.h"
#include "base/check.h"

namespace timepool::dns {

ServerCookie make_server_cookie(const SiphashKey& secret, Bytes client_cookie,
                                const IpAddress& client, std::uint32_t now) {
  CHECK(client_cookie.size() == 8);
  std::array<std::byte, 32> hashed;
  ByteWriter input(hashed);
  input.bytes(client_cookie);
  input.u32(0x0100'0000);
  input.u32(now);
  input.bytes(client.bytes());
  std::uint64_t hash = siphash24(secret, input.written());
  ServerCookie cookie;
  ByteWriter out(cookie);
  out.u32(0x0100'0000);
  out.u32(now);
  // The reference implementation's bytes: little endian.
  for (int i = 0; i < 8; ++i, hash >>= 8) out.u8(static_cast<std::uint8_t>(hash));
  return cookie;
}

CookieState check_server_cookie(const SiphashKey& secret, Bytes client_cookie, Bytes server_cookie,
                                const IpAddress& client, std::uint32_t now) {
  if (server_cookie.size() != ServerCookie().size()) return CookieState::kInvalid;
  ByteReader reader(server_cookie);
  reader.skip(4);
  const std::uint32_t made = reader.u32();
  // RFC 9018 4.3: up to an hour old, at most five minutes ahead; serial arithmetic.
  const auto age = static_cast<std::int32_t>(now - made);
  if (age > 3600 || age < -300) return CookieState::kInvalid;
  const ServerCookie expected = make_server_cookie(secret, client_cookie, client, made);
  unsigned differs = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    differs |= std::to_integer<unsigned>(expected[i] ^ server_cookie[i]);
  }
  if (differs != 0) return CookieState::kInvalid;
  return age > 1800 ? CookieState::kOld : CookieState::kFresh;
}

const SiphashKey& CookieSecrets::at(std::uint32_t time) const {
  const auto distance = static_cast<std::int32_t>(time / rotation - epoch);
  return keys[static_cast<std::size_t>(std::clamp(distance, -1, 1) + 1)];
}

CheckedCookie check_cookie(const CookieSecrets& secrets, Bytes client_cookie, Bytes server_cookie,
                           const IpAddress& client, std::uint32_t now) {
  CheckedCookie out;
  out.use = server_cookie.empty() ? CookieUse::kClient : CookieUse::kBad;
  if (server_cookie.size() == out.answer.size()) {
    ByteReader reader(server_cookie);
    reader.skip(4);
    const std::uint32_t made = reader.u32();
    const CookieState state =
        check_server_cookie(secrets.at(made), client_cookie, server_cookie, client, now);
    if (state != CookieState::kInvalid) out.use = CookieUse::kGood;
    if (state == CookieState::kFresh) {
      std::copy(server_cookie.begin(), server_cookie.end(), out.answer.begin());
      return out;
    }
  }
  out.answer = make_server_cookie(secrets.at(now), client_cookie, client, now);
  return out;
}

}  // namespace timepool::dns
