// Which record set an address is sent to, for people: `timepool dns lookup`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/prng.h"
#include "dns/compiled/compiled.h"

namespace timepool::dns {

struct Explanation {
  bool in_zone = false;
  std::string zone;
  ClientClass client;  // what the zone's labels see of the address
  int scope = 0;       // the widest network with the same answers
  std::string label;   // where the records come from; empty: no data
  std::uint32_t records = 0;
  std::uint32_t taken = 0;
  const CompiledZones::Set* set = nullptr;  // where they are, in `zones`; nullptr: no data
};
Explanation explain(const CompiledZones& zones, wire::dns::NameView name, wire::dns::RrType type,
                    const IpAddress& address);

// How likely each record of `set` is in an answer: its part of `kExplainDraws` answers drawn here.
inline constexpr int kExplainDraws = 100'000;
std::vector<double> chances(const CompiledZones& zones, const CompiledZones::Set& set, Prng& prng);

}  // namespace timepool::dns
