// Answer: from the name of a question to the records of its answer: zone, node, class of the
// client, record set, draw, and what stands in the other sections. One for each query, on the
// stack.
#pragma once

#include <cstddef>

#include "dns/asked.h"
#include "dns/reason.h"
#include "dns/reply.h"

namespace timepool::dns {

class Answer {
 public:
  Answer(const Asked& asked, Reply& reply)
      : asked_(asked), zones_(asked.served.zones), reply_(reply) {}

  // Puts the answer for the question, whose class is IN and whose type is no other than ANY of the
  // meta types.
  Reason run();

  // Where the question's own name was found: nullptr for a name of no zone, and for none or several
  // sets.
  const CompiledZones::ZoneInfo* zone() const { return zone_; }
  const CompiledZones::Set* set() const { return set_; }

 private:
  // The answer for `name`, which stands uncompressed at `at` in the reply.
  Reason follow(wire::dns::NameView name, std::size_t at, int depth);
  // What the name and the client's class lead to, or nullptr.
  const CompiledZones::Set* find_set(const CompiledZones::Place& place);
  std::uint32_t client_class(const CompiledZones::Entry& entry,
                             const CompiledZones::ZoneInfo& zone);

  // --- where records go into the reply ---
  void put_set(wire::dns::Section section, const CompiledZones::Set& set, std::size_t owner_at);
  // No data of this type, or no such name: the zone's SOA (RFC 2308 2).
  void put_denial(const CompiledZones::ZoneInfo& zone, std::size_t apex_at);
  // RFC 8482 4.2.
  void put_hinfo(const CompiledZones::ZoneInfo& zone, std::size_t owner_at);

  const Asked& asked_;
  const CompiledZones& zones_;
  Reply& reply_;
  const CompiledZones::ZoneInfo* zone_ = nullptr;
  const CompiledZones::Set* set_ = nullptr;
};

}  // namespace timepool::dns
