// Answer: from the name of a question to the records of its answer: zone, node, class of the
// client, record set, draw, and what stands in the other sections. One for each query, on the
// stack.
#pragma once

#include <cstddef>

#include "dns/asked.h"
#include "dns/reason.h"
#include "dns/reply.h"
#include "dns/signed_answer.h"

namespace timepool::dns {

class Answer {
 public:
  // Looks the question's name up, so that what is far away in memory is on its way while the reply
  // is begun. Nothing is put yet.
  Answer(const Asked& asked, Reply& reply);

  // Puts the answer for the question, whose class is IN and whose type is no other than ANY of the
  // meta types.
  Reason run();

  // Where the question's own name was found: nullptr for a name of no zone.
  const CompiledZones::ZoneInfo* zone() const { return zone_; }
  // What the answer ends with, behind CNAMEs if there are any.
  const CompiledZones::Set* set() const { return set_; }
  // The pool that Worker::handed tells the addresses of; nullptr: there is none.
  const CompiledZones::Set* pool() const { return pool_; }

 private:
  // A record set, and by which name it was found.
  struct Found {
    const CompiledZones::Node* node = nullptr;
    const CompiledZones::Entry* entry = nullptr;
    const CompiledZones::Set* set = nullptr;  // nullptr: no data
    bool synthesised = false;                 // the node is a wildcard, the owner another name
    std::uint8_t scope = 0;                   // how much of the client's subnet counted
  };
  // What a name leads to for the type that is asked for.
  struct LookUp {
    LookUp(const Asked& asked, wire::dns::NameView of);
    wire::dns::NameView name;
    HashedName hashed;
    CompiledZones::Place place;
    Found found;  // where the place has a node
  };
  // The answer for a name that was looked up, which stands uncompressed at `at` in the reply.
  Reason follow(const LookUp& name, std::size_t at, int depth);
  // What `type` leads to at `node` for this client.
  Found find_set(const CompiledZones::Node& node, wire::dns::RrType type);
  // The zone is to be signed and is not: an answer would be bogus to those who validate.
  Reason withhold(int depth);
  Reason deny(const CompiledZones::Place& place, wire::dns::NameView name, std::size_t at);
  // RFC 1034 4.3.2 3b: the name lies at or below a cut.
  Reason refer(const CompiledZones::Node& cut, std::size_t cut_at, int depth);
  void put_keys_of_cut(const CompiledZones::Node& cut, std::size_t cut_at);
  // RFC 4035 3.1.4.1: DS of the apex of `zone`, from the zone above.
  Reason answer_ds_at_apex(const CompiledZones::ZoneInfo& zone, wire::dns::NameView name,
                           std::size_t at);

  // --- where records go into the reply ---
  // False when it does not fit; part of it may stand there then.
  bool put_set(wire::dns::Section section, const Found& found, std::size_t owner_at);
  // The name, or the type at the name, does not exist: the SOA (RFC 2308 2).
  void put_denial(const CompiledZones::ZoneInfo& zone, std::size_t apex_at);
  // RFC 8482 4.2.
  void put_hinfo(const CompiledZones::ZoneInfo& zone, std::size_t owner_at);

  // --- addresses of hosts that records name ---
  // Of the records that stand in the reply from `from` on and are of `type`. `cut`: they are name
  // servers at that cut, and the addresses of those below it belong to the answer.
  void put_addresses(wire::dns::RrType type, std::size_t from, const CompiledZones::Node* cut);
  void put_addresses_of(const CompiledZones::Node& host, std::size_t name_at, bool needed);

  const Asked& asked_;
  const CompiledZones& zones_;
  Reply& reply_;
  SignedAnswer signed_;
  LookUp asked_for_;
  SignedAnswer::Owner owner_;  // the name that is being answered, where zones are signed
  const CompiledZones::ZoneInfo* zone_ = nullptr;
  const CompiledZones::Set* set_ = nullptr;
  const CompiledZones::Set* pool_ = nullptr;
};

}  // namespace timepool::dns
