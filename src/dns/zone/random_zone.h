// For tests only: zones of every kind of name, made from a seed: delegations with glue, wildcards,
// empty names, aliases, CNAMEs, labels for some clients, hosts that records name.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/prng.h"
#include "dns/zone/zone.h"
#include "dns/zone/zone_check.h"

namespace timepool::dns::testing {

inline constexpr std::array kRandomNames{
    "",     "a",    "b",      "*",        "a.b",          "*.b",      "x.y.z",
    "cut",  "de",   "us",     "europe",   "as64500",      "a.us",     "*.us",
    "a.de", "y",    "sub.y",  "ns.sub.y", "*.sub.y",      "z.cut",    "ns.z.cut",
    "*.y",  "ns.b", "cut.us", "ns.cut",   "far.ns.cut",   "b.europe", "a.[198.18.9.0]",
    "c",    "d",    "*.c",    "d.c",      "[198.18.7.0]", "y.asia",   "sub.y.us"};

inline std::vector<std::byte> random_rdata(Prng& prng, wire::dns::RrType type,
                                           const wire::dns::DnsName& origin) {
  using wire::dns::RrType;
  std::vector<std::byte> out;
  const auto octets = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::byte>(prng.below(256)));
  };
  const auto host = [&] {
    std::string name = kRandomNames[prng.below(kRandomNames.size())];
    if (name.find('[') != std::string::npos || prng.below(6) == 0) name = "elsewhere.example.";
    const auto target = name.empty() ? origin : wire::dns::DnsName::from_text(name, origin).value();
    out.insert(out.end(), target.wire().begin(), target.wire().end());
  };
  switch (type) {
    case RrType::kA:
      octets(4);
      break;
    case RrType::kAaaa:
      octets(16);
      break;
    case RrType::kTxt:
      out.push_back(std::byte{3});
      octets(3);
      break;
    case RrType::kDs:
      out = {std::byte{0}, std::byte{1}, std::byte{13}, std::byte{2}};
      octets(32);
      break;
    case RrType::kMx:
      octets(2);
      host();
      break;
    case RrType::kSrv:
      octets(6);
      host();
      break;
    case RrType::kHttps:
      out = {std::byte{0}, std::byte{1}};
      if (prng.below(2) == 0) {
        out.push_back(std::byte{0});
      } else {
        host();
      }
      break;
    default:
      host();
  }
  return out;
}

inline Zone random_zone(Prng& prng, std::string_view origin) {
  using wire::dns::RrType;
  static constexpr std::array kTypes{RrType::kA,  RrType::kAaaa, RrType::kTxt, RrType::kCname,
                                     RrType::kNs, RrType::kMx,   RrType::kSrv, RrType::kHttps,
                                     RrType::kDs, RrType::kPtr};
  Zone zone =
      load_zone(R"({"targeting": "@ country continent asn ip", "ttl": 60})", origin, 1).value();
  for (const char* name : kRandomNames) {
    if (prng.below(3) == 0) continue;
    Label label;
    label.name = name;
    label.max_hosts = static_cast<std::uint32_t>(prng.below(6));
    const bool wildcard = label.name.starts_with('*');
    // An alias leads to a name, and brackets are none.
    const std::string alias = kRandomNames[prng.below(kRandomNames.size())];
    if (prng.below(12) == 0 && alias.find('[') == std::string::npos) label.alias = alias;
    for (const RrType type : kTypes) {
      const bool server = type == RrType::kNs;
      if (prng.below(server || type == RrType::kCname ? 8 : 3) != 0 || (server && wildcard))
        continue;
      RecordSet set{type, {}};
      const std::size_t count =
          type == RrType::kCname ? 1 : 1 + prng.below(prng.below(9) == 0 ? 60 : 4);
      for (std::size_t i = 0; i < count; ++i) {
        const auto weight = static_cast<std::uint32_t>(prng.below(3) == 0 ? 0 : prng.below(1000));
        set.records.push_back({random_rdata(prng, type, zone.origin), weight});
      }
      label.sets.push_back(std::move(set));
    }
    zone.labels.push_back(std::move(label));
  }
  std::sort(zone.labels.begin(), zone.labels.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  // What leads in a circle is refused elsewhere.
  if (find_fault(zone)) {
    for (Label& label : zone.labels) label.alias.reset();
  }
  return zone;
}

}  // namespace timepool::dns::testing
