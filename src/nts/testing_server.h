// For the tests and the simulator only: the server's side of NTS by TestAead. Its cookies hold the
// keys as they are; it remembers each that it saw, and counts those that come again.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "base/prng.h"
#include "nts/request_fields.h"
#include "nts/testing.h"

namespace timepool::nts::fake {

class TestServer {
 public:
  static constexpr std::size_t kCookieSize = 100;

  explicit TestServer(std::uint64_t seed) : prng_(seed) {}

  Establishment establish(AeadId aead = AeadId::kAesSivCmac256) {
    Establishment out;
    out.keys.aead = aead;
    for (std::size_t i = 0; i < key_size(aead); ++i) {
      out.keys.client_to_server[i] = static_cast<std::byte>(prng_.next() & 0xff);
      out.keys.server_to_client[i] = static_cast<std::byte>(prng_.next() & 0xff);
    }
    for (std::size_t i = 0; i < kMaxCookies; ++i) out.cookies.push_back(make_cookie(out.keys));
    return out;
  }
  // Cookies made before open no more.
  void lose_keys() { ++generation_; }
  // New cookies are given with each answer, or none.
  void set_generous(bool generous) { generous_ = generous; }
  std::uint64_t seen() const { return seen_.size(); }
  std::uint64_t reused() const { return reused_; }

  // Makes the reply to the request of the plain one's header; NTSN when the cookie opens no more.
  // Empty when the request has no NTS, or a wrong one.
  std::vector<std::byte> answer(Bytes request, Bytes header) {
    const auto packet = wire::ntp::parse_packet(request);
    if (!packet.ok()) return {};
    const auto* id = packet->field(wire::ntp::field_type::kUniqueIdentifier);
    const auto* cookie = packet->field(wire::ntp::field_type::kNtsCookie);
    const auto* proof = packet->field(wire::ntp::field_type::kNtsAuthenticator);
    if (id == nullptr || cookie == nullptr || proof == nullptr) return {};
    if (!seen_.insert({cookie->body.begin(), cookie->body.end()}).second) ++reused_;
    SessionKeys keys;
    if (!open_cookie(cookie->body, keys)) return nak(header, id->body);
    TestAead aead(keys.aead);
    aead.set_key(keys.c2s());
    if (!proves(aead, request, *proof)) return nak(header, id->body);
    std::size_t cookies = 1;
    for (const auto& field : packet->fields) {
      if (field.type == wire::ntp::field_type::kNtsCookiePlaceholder) ++cookies;
    }
    return sealed(header, id->body, keys, generous_ ? cookies : 0);
  }
  // An authentic reply with these octets sealed.
  static std::vector<std::byte> seal(Bytes header, Bytes id, const SessionKeys& keys, Bytes plain,
                                     std::uint64_t nonce_seed) {
    std::vector<std::byte> out(2048);
    ByteWriter writer(out);
    writer.bytes(header);
    wire::ntp::write_field({wire::ntp::field_type::kUniqueIdentifier, id}, writer);
    const std::size_t nonce = nonce_size(keys.aead);
    const Bytes associated = writer.written();
    writer.u16(wire::ntp::field_type::kNtsAuthenticator);
    writer.u16(static_cast<std::uint16_t>(8 + nonce + kAeadOverhead + plain.size()));
    writer.u16(static_cast<std::uint16_t>(nonce));
    writer.u16(static_cast<std::uint16_t>(kAeadOverhead + plain.size()));
    const std::size_t nonce_at = writer.size();
    for (std::size_t i = 0; i < nonce; ++i) {
      writer.u8(static_cast<std::uint8_t>(nonce_seed >> (i % 8 * 8) & 0xff));
    }
    const std::size_t text_at = writer.size();
    writer.zeros(kAeadOverhead + plain.size());
    CHECK(writer.ok());
    TestAead aead(keys.aead);
    aead.set_key(keys.s2c());
    aead.seal(Bytes(out).subspan(nonce_at, nonce), associated, plain,
              MutableBytes(out).subspan(text_at, kAeadOverhead + plain.size()));
    out.resize(writer.size());
    return out;
  }
  // RFC 8915 5.7: unauthenticated, with the unique identifier and nothing else.
  static std::vector<std::byte> nak(Bytes header, Bytes id) {
    std::vector<std::byte> out(128);
    ByteWriter writer(out);
    ByteReader reader(header);
    wire::ntp::Header kiss = wire::ntp::read_header(reader);
    kiss.leap = wire::ntp::Leap::kUnsynchronised;
    kiss.stratum = 0;
    kiss.reference_id = wire::ntp::ReferenceId::from_text("NTSN");
    wire::ntp::write_header(kiss, writer);
    wire::ntp::write_field({wire::ntp::field_type::kUniqueIdentifier, id}, writer);
    CHECK(writer.ok());
    out.resize(writer.size());
    return out;
  }

 private:
  Cookie make_cookie(const SessionKeys& keys) {
    Cookie out(kCookieSize);
    ByteWriter writer(out);
    writer.u32(generation_);
    writer.u64(++serial_);
    writer.u16(static_cast<std::uint16_t>(keys.aead));
    writer.bytes(keys.client_to_server);
    writer.bytes(keys.server_to_client);
    writer.zeros(writer.remaining());
    return out;
  }
  bool open_cookie(Bytes cookie, SessionKeys& keys) const {
    ByteReader reader(cookie);
    const bool current = reader.u32() == generation_;
    reader.skip(8);
    const auto aead = aead_of(reader.u16());
    reader.copy(keys.client_to_server);
    reader.copy(keys.server_to_client);
    if (!current || !aead || cookie.size() != kCookieSize) return false;
    keys.aead = *aead;
    return reader.ok();
  }
  static bool proves(Aead& aead, Bytes request, const wire::ntp::ExtensionField& proof) {
    ByteReader reader(proof.body);
    const std::size_t nonce_octets = reader.u16();
    const std::size_t text_octets = reader.u16();
    const Bytes nonce = reader.bytes(nonce_octets);
    reader.skip((nonce_octets + 3) / 4 * 4 - nonce_octets);
    const Bytes text = reader.bytes(text_octets);
    if (!reader.ok() || text.size() != kAeadOverhead) return false;
    const auto before = static_cast<std::size_t>(proof.body.data() - request.data()) - 4;
    return aead.open(nonce, request.first(before), text, {});
  }
  std::vector<std::byte> sealed(Bytes header, Bytes id, const SessionKeys& keys,
                                std::size_t cookies) {
    std::array<std::byte, kMaxCookies * (4 + kCookieSize)> plain{};
    ByteWriter writer(plain);
    for (std::size_t i = 0; i < std::min(cookies, kMaxCookies); ++i) {
      wire::ntp::write_field({wire::ntp::field_type::kNtsCookie, make_cookie(keys)}, writer);
    }
    return seal(header, id, keys, writer.written(), prng_.next());
  }

  Prng prng_;
  std::uint32_t generation_ = 1;
  std::uint64_t serial_ = 0;
  bool generous_ = true;
  std::set<Cookie> seen_;
  std::uint64_t reused_ = 0;
};

}  // namespace timepool::nts::fake
