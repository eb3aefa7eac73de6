// For the tests of this library only: a small geography, a zone, and queries against it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_writer.h"
#include "dns/responder.h"
#include "wire/dns/message.h"

namespace timepool::dns::testing {

// de 198.18.0.0/16 (AS 64500 in 198.18.5.0/24) and 2001:db8:1::/48; us 198.19.0.0/16 and
// 2001:db8:2::/48; fr 198.51.100.0/24; gb 203.0.113.0/24; jp 192.0.2.0/25.
inline GeoTable geography() {
  GeoTable out;
  std::vector<GeoOverride> items;
  const auto add = [&items](const char* prefix, const char* country, std::uint32_t asn) {
    items.push_back({parse_prefix(prefix).value(), CountryCode::from_text(country), asn});
  };
  add("198.18.0.0/16", "de", 0);
  add("198.18.5.0/24", "", 64500);
  add("198.19.0.0/16", "us", 0);
  add("198.51.100.0/24", "fr", 0);
  add("203.0.113.0/24", "gb", 0);
  add("192.0.2.0/25", "jp", 0);
  add("2001:db8:1::/48", "de", 0);
  add("2001:db8:2::/48", "us", 0);
  return with_overrides(out, items);
}

inline std::shared_ptr<const CompiledZones> compile(const std::vector<Zone>& zones) {
  std::vector<const Zone*> pointers;
  for (const Zone& zone : zones) pointers.push_back(&zone);
  ClassCache cache;
  auto out = CompiledZones::compile(pointers, geography(), cache);
  return out.ok() ? std::move(out).value() : nullptr;
}

inline std::shared_ptr<const CompiledZones> compile(
    const std::vector<std::pair<std::string, std::string>>& documents) {
  std::vector<Zone> zones;
  for (const auto& [origin, json] : documents) {
    auto zone = load_zone(json, origin, 1);
    if (!zone.ok()) return nullptr;
    zones.push_back(std::move(zone).value());
  }
  return compile(zones);
}

struct Ask {
  std::string name;
  wire::dns::RrType type = wire::dns::RrType::kA;
  wire::dns::RrClass klass = wire::dns::RrClass::kIn;
  std::uint16_t flags = wire::dns::Header::kRd;
  bool edns = false;
  std::uint16_t udp_size = 1232;
  std::uint8_t edns_version = 0;
  bool dnssec_ok = false;
  std::string subnet{};  // "198.18.0.0/16"
  std::vector<std::byte> cookie{};
  bool nsid = false;
  bool keepalive = false;
};

inline std::vector<std::byte> query_bytes(const Ask& ask) {
  using wire::dns::OptionCode;
  std::vector<std::byte> buffer(1024);
  ByteWriter out(buffer);
  const bool edns =
      ask.edns || !ask.subnet.empty() || !ask.cookie.empty() || ask.nsid || ask.keepalive;
  out.u16(0x1234);
  out.u16(ask.flags);
  out.u16(1);
  out.u16(0);
  out.u16(0);
  out.u16(edns ? 1 : 0);
  out.bytes(wire::dns::DnsName::from_text(ask.name).value().wire());
  out.u16(static_cast<std::uint16_t>(ask.type));
  out.u16(static_cast<std::uint16_t>(ask.klass));
  if (edns) {
    std::vector<std::byte> option_buffer(512);
    ByteWriter options(option_buffer);
    if (ask.nsid) write_option(options, OptionCode::kNsid, {});
    if (!ask.subnet.empty()) {
      const Prefix prefix = parse_prefix(ask.subnet).value();
      wire::dns::ClientSubnet subnet;
      subnet.family = prefix.base().is_v4() ? 1 : 2;
      subnet.source = static_cast<std::uint8_t>(prefix.length());
      subnet.address = prefix.base();
      write_option(options, subnet);
    }
    if (!ask.cookie.empty()) write_option(options, OptionCode::kCookie, ask.cookie);
    if (ask.keepalive) write_option(options, OptionCode::kKeepalive, {});
    wire::dns::EdnsHeader header;
    header.udp_size = ask.udp_size;
    header.version = ask.edns_version;
    header.flags = ask.dnssec_ok ? wire::dns::EdnsHeader::kDo : 0;
    write_opt(out, header, options.written());
  }
  buffer.resize(out.size());
  return buffer;
}

// A reply and what its parser makes of it.
struct Got {
  Outcome outcome;
  std::vector<std::byte> bytes;
  std::optional<wire::dns::Message> message;  // views into bytes

  // "0.pool.test. 60 IN A 192.0.2.1", in order, OPT left out.
  std::vector<std::string> records(wire::dns::Section section) const {
    std::vector<std::string> out;
    auto cursor = message->records();
    while (const auto record = cursor.next()) {
      if (record->section != section || record->type == wire::dns::RrType::kOpt) continue;
      out.push_back(format(*message, *record));
    }
    return out;
  }
  std::vector<std::string> answers() const { return records(wire::dns::Section::kAnswer); }
  std::vector<std::string> authority() const { return records(wire::dns::Section::kAuthority); }
  std::vector<std::string> additional() const { return records(wire::dns::Section::kAdditional); }
  int scope() const {
    if (!message->edns() || !message->edns()->client_subnet) return -1;
    return message->edns()->client_subnet->scope;
  }
};

inline ResponderSettings settings() {
  ResponderSettings out;
  out.identity = "ns1";
  out.version = "timepool";
  out.cookies.keys = {{{1, 2}, {1, 2}, {1, 2}}};
  out.tcp_keepalive = 100;
  return out;
}

inline Got ask_bytes(const CompiledZones& zones, std::vector<std::byte> query,
                     std::string_view source, bool tcp = false, std::uint64_t seed = 1) {
  const ResponderSettings with = settings();
  Worker worker(seed);
  Got out;
  out.bytes.resize(65535);
  const Rx rx{parse_ip(source).value(), tcp, 1'750'000'000};
  out.outcome = respond(rx, query, {zones, with}, worker, out.bytes);
  out.bytes.resize(out.outcome.length);
  if (out.outcome.verdict == Verdict::kReply) {
    auto message = wire::dns::parse_message(out.bytes);
    if (message.ok()) out.message = std::move(message).value();
  }
  return out;
}

inline Got ask(const CompiledZones& zones, const Ask& question,
               std::string_view source = "100.64.0.1", bool tcp = false, std::uint64_t seed = 1) {
  return ask_bytes(zones, query_bytes(question), source, tcp, seed);
}

}  // namespace timepool::dns::testing
