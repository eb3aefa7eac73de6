// RecordGenerator: random but valid records of every known type, from a seed. For tests alone.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/byte_writer.h"
#include "base/prng.h"
#include "wire/dns/rdata.h"
#include "wire/dns/svcb.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::wire::dns {

inline constexpr RrType kGeneratedTypes[] = {
    RrType::kA,     RrType::kAaaa,    RrType::kNs,
    RrType::kSoa,   RrType::kCname,   RrType::kTxt,
    RrType::kSrv,   RrType::kPtr,     RrType::kMx,
    RrType::kCaa,   RrType::kDnskey,  RrType::kDs,
    RrType::kSpf,   RrType::kNsec,    RrType::kCds,
    RrType::kRrsig, RrType::kCdnskey, RrType::kHttps,
    RrType::kSvcb,  RrType::kDname,   static_cast<RrType>(731)};

class RecordGenerator {
 public:
  explicit RecordGenerator(std::uint64_t seed) : prng_(seed) {}

  Prng& prng() { return prng_; }
  RrType type() { return kGeneratedTypes[prng_.below(std::size(kGeneratedTypes))]; }

  // Often one of few names or below one, so that there is something to compress.
  DnsName name() {
    DnsName out = DnsName::from_text(kOrigins[prng_.below(std::size(kOrigins))]).value();
    for (std::uint64_t left = prng_.below(4); left > 0; --left) {
      const auto longer = DnsName::prepend(label(), out);
      if (longer.ok()) out = *longer;
    }
    return out;
  }

  // The data's bytes live as long as the generator.
  Rdata rdata(RrType type) {
    switch (type) {
      case RrType::kA:
        return AddressData{IpAddress::from_bytes(bytes(4, 4))};
      case RrType::kAaaa:
        return AddressData{IpAddress::from_bytes(bytes(16, 16))};
      case RrType::kNs:
      case RrType::kCname:
      case RrType::kPtr:
      case RrType::kDname:
        return NameData{name()};
      case RrType::kSoa:
        return Soa{name(), name(), u32(), u32(), u32(), u32(), u32()};
      case RrType::kMx:
        return Mx{u16(), name()};
      case RrType::kTxt:
      case RrType::kSpf:
        return Txt{strings()};
      case RrType::kSrv:
        return Srv{u16(), u16(), u16(), name()};
      case RrType::kCaa:
        return Caa{u8(), text(prng_.below(2) == 0 ? "issue" : "iodef"), bytes(0, 40)};
      case RrType::kDnskey:
      case RrType::kCdnskey:
        return Dnskey{u16(), u8(), algorithm(), bytes(4, 80)};
      case RrType::kDs:
      case RrType::kCds:
        return prng_.below(2) == 0 ? Ds{u16(), algorithm(), 2, bytes(32, 32)}
                                   : Ds{u16(), algorithm(), 200, bytes(1, 48)};
      case RrType::kRrsig:
        // Times before 2038: the text of later ones depends on the reader's clock (RFC 4034 3.1.5).
        return Rrsig{this->type(), algorithm(), u8(),   u32(),       u32() / 2,
                     u32() / 2,    u16(),       name(), bytes(1, 80)};
      case RrType::kNsec:
        return Nsec{name(), type_bitmap()};
      case RrType::kSvcb:
      case RrType::kHttps:
        return Svcb{u16(), name(), params()};
      default:
        return RawData{bytes(0, 60)};
    }
  }

  Bytes bytes(std::size_t least, std::size_t most) {
    std::vector<std::byte>& out = store(least + prng_.below(most - least + 1));
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
    return out;
  }

 private:
  static constexpr const char* kOrigins[] = {".", "test.", "pool.test.", "us.pool.test.",
                                             "Example.COM."};

  std::uint8_t u8() { return static_cast<std::uint8_t>(prng_.next()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(prng_.next()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(prng_.next()); }
  // One whose key needs no structure of its own.
  std::uint8_t algorithm() { return prng_.below(2) == 0 ? 13 : 15; }

  std::vector<std::byte>& store(std::size_t size) { return kept_.emplace_back(size); }
  Bytes text(std::string_view from) {
    std::vector<std::byte>& out = store(from.size());
    std::transform(from.begin(), from.end(), out.begin(),
                   [](char c) { return static_cast<std::byte>(c); });
    return out;
  }
  // Mostly letters; now and then anything.
  std::string label() {
    std::string out(1 + prng_.below(10), 'a');
    const bool odd = prng_.below(8) == 0;
    for (char& c : out) {
      c = odd ? static_cast<char>(prng_.next()) : "abcXYZ019-_*"[prng_.below(12)];
    }
    return out;
  }
  Bytes strings() {
    std::vector<std::byte> out(600);
    ByteWriter writer(out);
    for (std::uint64_t left = 1 + prng_.below(4); left > 0; --left) {
      const Bytes string = bytes(0, 100);
      writer.u8(static_cast<std::uint8_t>(string.size()));
      writer.bytes(string);
    }
    out.resize(writer.size());
    return kept_.emplace_back(std::move(out));
  }
  Bytes type_bitmap() {
    std::vector<RrType> types = {RrType::kA};
    unsigned value = static_cast<unsigned>(RrType::kA);
    for (std::uint64_t left = 1 + prng_.below(12); left > 0; --left) {
      value += 1 + static_cast<unsigned>(prng_.below(prng_.below(6) == 0 ? 3000 : 30));
      // Meta types are in no bitmap (but for NXNAME).
      if (value <= 0xffff && !is_meta(static_cast<RrType>(value))) {
        types.push_back(static_cast<RrType>(value));
      }
    }
    std::vector<std::byte> out(1000);
    ByteWriter writer(out);
    write_type_bitmap(writer, types);
    CHECK(writer.ok());
    out.resize(writer.size());
    return kept_.emplace_back(std::move(out));
  }
  Bytes params() {
    std::vector<std::byte> out(1000);
    ByteWriter writer(out);
    const auto sometimes = [&] { return prng_.below(2) == 0; };
    const bool alpn = sometimes();
    const bool port = sometimes();
    if (alpn && port && sometimes())
      write_param(writer, SvcbKey::kMandatory, text({"\0\1\0\3", 4}));
    if (alpn) write_param(writer, SvcbKey::kAlpn, text({"\2h2\7ntske/1", 11}));
    if (port) write_param(writer, SvcbKey::kPort, bytes(2, 2));
    if (sometimes()) write_param(writer, SvcbKey::kIpv4Hint, bytes(4, 4));
    if (sometimes()) write_param(writer, SvcbKey::kEch, bytes(1, 20));
    if (sometimes()) {
      const Bytes one = bytes(16, 16);
      write_param(writer, SvcbKey::kIpv6Hint, one);
    }
    if (sometimes()) write_param(writer, static_cast<SvcbKey>(667), bytes(1, 12));
    CHECK(writer.ok());
    out.resize(writer.size());
    return kept_.emplace_back(std::move(out));
  }

  Prng prng_;
  std::deque<std::vector<std::byte>> kept_;
};

}  // namespace timepool::wire::dns
