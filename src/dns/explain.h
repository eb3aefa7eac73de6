// Which record set an address is sent to, for people: `timepool dns lookup`.
#pragma once

#include <cstdint>
#include <string>

#include "base/ip.h"
#include "dns/compiled.h"

namespace timepool::dns {

struct Explanation {
  bool in_zone = false;
  std::string zone;
  ClientClass client;  // what the zone's labels see of the address
  int scope = 0;       // the widest network with the same answers
  std::string label;   // where the records come from; empty: no data
  std::uint32_t records = 0;
  std::uint32_t taken = 0;
};
Explanation explain(const CompiledZones& zones, wire::dns::NameView name, wire::dns::RrType type,
                    const IpAddress& address);

}  // namespace timepool::dns
