// SignedZones: what is signed of one CompiledZones, beside it: for a node and a record set the
// SignedSet with its answers, for a node its NSEC records, for an apex the keys. An immutable
// snapshot: workers read it without locks and without allocation. signing_plan.h makes it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dns/compiled/compiled.h"
#include "dns/signed/signed_set.h"
#include "dnssec/zone_keys.h"

namespace timepool::dns {

class SignedZones {
 public:
  // What a SignedSet is of, besides the sets of CompiledZones, which go by their index. All are
  // above any such index.
  enum class Special : std::uint32_t {
    kDnskey = 0xffff'0000,
    kCds,
    kCdnskey,
    // NSEC with every type that some client is given here.
    kNsecFull,
    // The same without CNAME, which no proof of absence may have (RFC 6840 4.3).
    kNsecNoData,
    // kNsecWithout + i: the same without the type of the node's entry i besides, where not every
    // client is given one.
    kNsecWithout,
  };
  static constexpr std::uint32_t ref(Special what, std::uint32_t more = 0) {
    return static_cast<std::uint32_t>(what) + more;
  }

  // What is needed to sign in a zone while answering.
  struct Zone {
    std::shared_ptr<const dnssec::ZoneKeys> keys;  // null: the zone is not signed
    dnssec::SignatureTimes times;
    std::uint32_t nsec_ttl = 0;
    std::uint64_t signers = 0;  // differs when others sign
    std::uint32_t apex = 0;     // its node
    const SignedSet* soa = nullptr;
    // It is to be signed and is not: nothing of it is to be given, since it would be bogus.
    bool withheld = false;
  };

  struct Item {
    std::uint32_t node = 0;
    std::uint32_t ref = 0;
    std::shared_ptr<const SignedSet> set;  // null: it could not be signed
  };
  // `signed_zones`: one for each of zones->zones().
  static std::shared_ptr<const SignedZones> create(std::shared_ptr<const CompiledZones> zones,
                                                   std::vector<Zone> signed_zones,
                                                   std::vector<Item> items);

  const CompiledZones& zones() const { return *zones_; }
  // nullptr for a zone that is not signed.
  const Zone* zone(std::uint32_t index) const {
    return states_[index].keys == nullptr ? nullptr : &states_[index];
  }
  bool withholds_any() const { return withholds_any_; }
  bool withholds(std::uint32_t zone) const { return states_[zone].withheld; }
  // What the answers of a set are made from, in half a cache line, so that all that an answer needs
  // of the set is asked of memory at once.
  struct Slot {
    std::uint64_t key = 0;
    const SignedSet* set = nullptr;
    std::byte* octets = nullptr;  // of its block
    std::uint16_t entries = 0;    // SignedSet's, as the others
    std::uint16_t stride = 0;
    std::uint16_t count = 0;
    SignedSet::Form form{};
    std::uint8_t signatures = 0;

    const std::byte* entry(std::uint32_t index) const {
      return octets + entries + std::size_t{index} * stride;
    }
  };
  // nullptr: it is not signed.
  const Slot* look(std::uint32_t node, std::uint32_t ref) const {
    const std::uint64_t key = std::uint64_t{node} << 32 | ref;
    for (std::size_t at = place_of(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key && slot.set != nullptr) return &slot;
      if (slot.set == nullptr) return nullptr;
    }
  }
  const SignedSet* find(std::uint32_t node, std::uint32_t ref) const {
    const Slot* const slot = look(node, ref);
    return slot == nullptr ? nullptr : slot->set;
  }
  const SignedSet* find(std::uint32_t node, Special what, std::uint32_t more = 0) const {
    return find(node, ref(what, more));
  }
  // An NSEC of a node with its RRSIGs.
  struct Proof {
    const SignedSet* set = nullptr;  // nullptr: there is none
    Bytes records;                   // its answer
    std::uint8_t count = 0;          // of them
  };
  // Those of a node that absence is proved by, but for types that only some clients are given.
  struct Proofs {
    Proof full;     // kNsecFull
    Proof no_data;  // kNsecNoData, or else kNsecFull
  };
  static Proof proof(const SignedSet& nsec) {
    return {&nsec, nsec.answer(0), static_cast<std::uint8_t>(nsec.take + nsec.signatures)};
  }
  const Proofs& proofs(std::uint32_t node) const { return proofs_[node]; }

  std::size_t memory() const;

 private:
  void put(Item item);
  std::size_t place_of(std::uint64_t key) const {
    return static_cast<std::size_t>((key * 0x9e37'79b9'7f4a'7c15U) >> shift_);
  }

  std::shared_ptr<const CompiledZones> zones_;
  std::vector<Zone> states_;
  std::vector<std::shared_ptr<const SignedSet>> kept_;
  std::vector<Slot> slots_;     // a power of two, at most half full
  std::vector<Proofs> proofs_;  // by node
  std::size_t mask_ = 0;
  unsigned shift_ = 0;
  bool withholds_any_ = false;
};

}  // namespace timepool::dns
