// For tests of key establishment: an exporter and a maker of cookies without cryptography, and
// messages put together from records.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/siphash.h"
#include "nts/cookie_maker.h"
#include "nts/key_exporter.h"
#include "wire/nts/record.h"

namespace timepool::nts::fake {

using Octets = std::vector<std::byte>;

// Octets that depend on label, context and place, as those of a TLS session do.
class TestExporter final : public KeyExporter {
 public:
  bool export_key(std::string_view label, Bytes context, MutableBytes out) override {
    if (broken) return false;
    const std::uint64_t by_label =
        siphash24({7, session}, std::as_bytes(std::span(label.data(), label.size())));
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(siphash24({by_label, i}, context) & 0xff);
    }
    return true;
  }

  std::uint64_t session = 1;
  bool broken = false;
};

// Each cookie begins with its number.
class TestCookieMaker final : public CookieMaker {
 public:
  std::size_t cookie_size(AeadId aead) const override {
    return aead == AeadId::kAesSivCmac256 ? 100 : 68;
  }
  bool make(const SessionKeys& keys, ByteWriter& out) override {
    if (made >= most || out.remaining() < cookie_size(keys.aead)) return false;
    sealed = keys;
    out.u32(++made);
    out.zeros(cookie_size(keys.aead) - 4);
    return true;
  }

  std::uint32_t made = 0;
  std::uint32_t most = 1000;
  SessionKeys sealed;
};

// A message in the making: records one behind the other.
class Message {
 public:
  Message& add(bool critical, std::uint16_t type, Bytes body) {
    Octets buffer(wire::nts::kRecordHeaderSize + body.size());
    ByteWriter writer(buffer);
    wire::nts::write_record({critical, type, body}, writer);
    octets_.insert(octets_.end(), buffer.begin(), buffer.end());
    return *this;
  }
  Message& numbers(bool critical, std::uint16_t type, const std::vector<std::uint16_t>& values) {
    Octets body(2 * values.size());
    ByteWriter writer(body);
    for (const std::uint16_t value : values) writer.u16(value);
    return add(critical, type, body);
  }
  Message& text(bool critical, std::uint16_t type, std::string_view body) {
    return add(critical, type, std::as_bytes(std::span(body.data(), body.size())));
  }
  Message& protocol() { return numbers(true, wire::nts::record_type::kNextProtocol, {0}); }
  Message& aeads(const std::vector<std::uint16_t>& values) {
    return numbers(true, wire::nts::record_type::kAead, values);
  }
  Message& cookie(std::size_t size) {
    return add(false, wire::nts::record_type::kCookie, Octets(size, std::byte{0x5c}));
  }
  Octets end() {
    add(true, wire::nts::record_type::kEndOfMessage, {});
    return octets_;
  }
  Octets so_far() const { return octets_; }

 private:
  Octets octets_;
};

}  // namespace timepool::nts::fake
