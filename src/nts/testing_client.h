// For tests only: requests under NTS as a client may send them, and as it may not; and what a reply
// holds. Randomness from a seed, keys that nobody agreed on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/aead.h"
#include "base/byte_writer.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/random_source.h"
#include "nts/cookie_keys.h"
#include "nts/cookie_maker.h"
#include "nts/session_keys.h"
#include "wire/ntp/packet.h"

namespace timepool::nts::fake {

using Octets = std::vector<std::byte>;

class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : prng_(seed) {}
  void fill(MutableBytes out) override {
    for (std::byte& it : out) it = static_cast<std::byte>(prng_.next() & 0xff);
  }
  Octets octets(std::size_t size) {
    Octets out(size);
    fill(out);
    return out;
  }

 private:
  Prng prng_;
};

inline SessionKeys session_keys(AeadId aead, std::uint64_t seed) {
  SeededRandom random(seed);
  SessionKeys out;
  out.aead = aead;
  random.fill(MutableBytes(out.client_to_server).first(key_size(aead)));
  random.fill(MutableBytes(out.server_to_client).first(key_size(aead)));
  return out;
}

// `count` keys, of which those of a higher `serial` are other ones.
inline CookieKeys cookie_keys(std::uint64_t serial, std::size_t count = 4) {
  SeededRandom random(serial * 1000);
  CookieKeys out;
  out.serial = serial;
  for (std::size_t i = 0; i < count; ++i) {
    CookieKey key;
    key.id = static_cast<std::uint32_t>(serial << 16 | i);
    random.fill(key.secret);
    CHECK(out.keys.push_back(key));
  }
  return out;
}

// What a request is made of.
struct RequestShape {
  std::size_t unique_id = 32;
  std::size_t placeholders = 0;         // before the authenticator
  std::size_t sealed_placeholders = 0;  // inside of it
  std::size_t sealed_stranger = 0;      // octets of a field of another type there, its header too
  std::size_t placeholder_size = 0;     // 0: as the cookie
  std::size_t nonce = 0;                // 0: as we make them
  std::size_t padding = 0;              // behind nonce and sealed text
  std::size_t unique_ids = 1;
  std::size_t cookies = 1;
  std::size_t authenticators = 1;
  std::size_t stranger = 0;  // octets of a field of another type in front
  std::size_t behind = 0;    // octets of a field behind the authenticator
};

inline void put_field(std::uint16_t type, Bytes body, ByteWriter& out) {
  out.u16(type);
  out.u16(static_cast<std::uint16_t>(4 + body.size()));
  out.bytes(body);
}

inline void put_authenticator(const RequestShape& shape, std::size_t placeholder, Aead& c2s,
                              SeededRandom& random, ByteWriter& out) {
  const Octets nonce = random.octets(shape.nonce > 0 ? shape.nonce : nonce_size(c2s.id()));
  Octets inside(shape.sealed_placeholders * (4 + placeholder) + shape.sealed_stranger);
  ByteWriter writer(inside);
  for (std::size_t i = 0; i < shape.sealed_placeholders; ++i) {
    put_field(wire::ntp::field_type::kNtsCookiePlaceholder, Octets(placeholder), writer);
  }
  if (shape.sealed_stranger >= 4) put_field(0x2005, Octets(shape.sealed_stranger - 4), writer);
  Octets sealed(inside.size() + kAeadOverhead);
  if (is_nonce_size(c2s.id(), nonce.size())) {
    c2s.seal(nonce, out.written(), inside, sealed);
  }
  const auto padding = [](std::size_t size) { return (size + 3) / 4 * 4 - size; };
  const std::size_t body = 4 + nonce.size() + padding(nonce.size()) + sealed.size() +
                           padding(sealed.size()) + shape.padding;
  out.u16(wire::ntp::field_type::kNtsAuthenticator);
  out.u16(static_cast<std::uint16_t>(4 + body));
  out.u16(static_cast<std::uint16_t>(nonce.size()));
  out.u16(static_cast<std::uint16_t>(sealed.size()));
  out.bytes(nonce);
  out.zeros(padding(nonce.size()));
  out.bytes(sealed);
  out.zeros(padding(sealed.size()) + shape.padding);
}

// A whole request in mode 3 under `keys`.
inline Octets make_request(const SessionKeys& keys, Bytes cookie, Aead& c2s, SeededRandom& random,
                           const RequestShape& shape = {}) {
  Octets buffer(8192);
  ByteWriter out(buffer);
  wire::ntp::Header header;
  header.mode = wire::ntp::Mode::kClient;
  header.poll = 6;
  header.transmit = NtpTimestamp::from_bits(0x1122'3344'5566'7788);
  wire::ntp::write_header(header, out);
  const std::size_t placeholder =
      shape.placeholder_size > 0 ? shape.placeholder_size : cookie.size();
  if (shape.stranger > 0) put_field(0x2005, Octets(shape.stranger), out);
  for (std::size_t i = 0; i < shape.unique_ids; ++i) {
    put_field(wire::ntp::field_type::kUniqueIdentifier, random.octets(shape.unique_id), out);
  }
  for (std::size_t i = 0; i < shape.cookies; ++i) {
    put_field(wire::ntp::field_type::kNtsCookie, cookie, out);
  }
  for (std::size_t i = 0; i < shape.placeholders; ++i) {
    put_field(wire::ntp::field_type::kNtsCookiePlaceholder, Octets(placeholder), out);
  }
  c2s.set_key(keys.c2s());
  for (std::size_t i = 0; i < shape.authenticators; ++i) {
    put_authenticator(shape, placeholder, c2s, random, out);
  }
  if (shape.behind > 0) {
    put_field(wire::ntp::field_type::kNtsCookiePlaceholder, Octets(shape.behind), out);
  }
  CHECK(out.ok());
  buffer.resize(out.size());
  return buffer;
}

inline Octets make_cookie(CookieMaker& maker, const SessionKeys& keys) {
  Octets out(kMaxOwnCookie);
  ByteWriter writer(out);
  CHECK(maker.make(keys, writer));
  out.resize(writer.size());
  return out;
}

// What an authentic reply holds; nothing when it is not authentic.
struct ReplyContent {
  Octets unique_id;
  std::vector<Octets> cookies;
};
inline std::optional<ReplyContent> read_reply(Bytes reply, const SessionKeys& keys, Aead& s2c) {
  const auto packet = wire::ntp::parse_packet(reply);
  if (!packet.ok() || packet->fields.size() != 2) return std::nullopt;
  const auto& id = packet->fields[0];
  const auto& proof = packet->fields[1];
  if (id.type != wire::ntp::field_type::kUniqueIdentifier) return std::nullopt;
  if (proof.type != wire::ntp::field_type::kNtsAuthenticator) return std::nullopt;
  ByteReader reader(proof.body);
  const std::size_t nonce_size = reader.u16();
  const std::size_t sealed_size = reader.u16();
  const Bytes nonce = reader.bytes(nonce_size);
  reader.skip((4 - nonce_size % 4) % 4);
  const Bytes sealed = reader.bytes(sealed_size);
  if (!reader.ok() || sealed.size() < kAeadOverhead) return std::nullopt;
  Octets inside(sealed.size() - kAeadOverhead);
  const auto before = static_cast<std::size_t>(proof.body.data() - reply.data()) - 4;
  s2c.set_key(keys.s2c());
  if (!s2c.open(nonce, reply.first(before), sealed, inside)) return std::nullopt;
  ReplyContent out;
  out.unique_id.assign(id.body.begin(), id.body.end());
  ByteReader fields(inside);
  while (fields.remaining() > 0) {
    const std::uint16_t type = fields.u16();
    const std::size_t size = fields.u16();
    if (type != wire::ntp::field_type::kNtsCookie || size < 4) return std::nullopt;
    const Bytes cookie = fields.bytes(size - 4);
    if (!fields.ok()) return std::nullopt;
    out.cookies.emplace_back(cookie.begin(), cookie.end());
  }
  return out;
}

}  // namespace timepool::nts::fake
