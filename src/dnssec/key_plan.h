// KeyPlan: the life of one zone's keys (RFC 7583, RFC 6781): which keys there must be, when each is
// in the DNSKEY set, when it signs, when its DS belongs at the parent, and when all of that ends.
//
// Of each key three things reach validators through caches: its DNSKEY record (`published`), the
// signatures that it makes over data (`signing`), and its DS (`at_parent`, which is observed, not
// done). What begins is certain to be known, and what ended certain to be forgotten, when the TTL
// and the time of spreading have passed. A step is taken only when every validator can follow it,
// whichever mix of sets of different age it holds:
//
//   DNSKEY in     at once where its algorithm is published already, or nobody validates; otherwise
//                 when signatures of its algorithm are certain (RFC 6781 4.1.4, conservative)
//   signs data    at once when nobody else does with its algorithm; otherwise when its DNSKEY is
//                 certain, and in the same moment the one before it ends (pre-publication, RFC 7583
//                 3.2.1)
//   DS offered    by CDS and CDNSKEY (RFC 7344) when DNSKEY and signatures of its algorithm are
//                 certain; the DS of the key before it is offered no more then (double KSK, RFC
//                 7583 3.3.1)
//   DNSKEY out    when its signatures are certain to be forgotten, and its DS, and another's DS is
//                 certain to be known; all keys of an algorithm that goes together
//   algorithm's signatures out   when its DNSKEYs are certain to be forgotten
//
// Time is the plan's own: seconds that only go forward, counted by a clock that never steps
// (PlanClock, key_state.h), so that no jump of the system's clock ends anything early.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dnssec/zone_keys.h"
#include "wire/dns/name.h"

namespace timepool::dnssec {

using PlanTime = std::int64_t;  // seconds

enum class KeyRole : std::uint8_t { kKsk, kZsk, kCsk };
constexpr bool is_entry_point(KeyRole role) {
  return role != KeyRole::kZsk;
}
constexpr bool signs_data(KeyRole role) {
  return role != KeyRole::kKsk;
}
std::string_view name_of(KeyRole role);  // "ksk", "zsk", "csk"
std::string_view name_of(Algorithm algorithm);

// From `from` on, and from `until` on no more.
struct KeySpan {
  std::optional<PlanTime> from;
  std::optional<PlanTime> until;
  bool on() const { return from && !until; }
  bool operator==(const KeySpan&) const = default;
};

struct PlannedKey {
  KeyRole role = KeyRole::kCsk;
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  std::uint16_t tag = 0;  // no two keys of a zone have the same
  std::vector<std::byte> public_key;
  PlanTime created = 0;
  bool leave = false;  // somebody asked for it to be replaced
  bool wanted = true;  // false: it is led out, which is never taken back
  KeySpan published;   // in the DNSKEY set
  KeySpan signing;     // data
  KeySpan offered;     // its DS, to the parent
  KeySpan at_parent;   // its DS, as it was observed
  bool operator==(const PlannedKey&) const = default;
};

// RFC 7583 3.2 and 3.3, as people name them.
enum class KeyState : std::uint8_t { kCreated, kPublished, kReady, kActive, kRetired, kRemoved };
std::string_view name_of(KeyState state);

enum class KeyMode : std::uint8_t { kCsk, kKskZsk };

// In seconds.
struct KeyTimes {
  std::uint32_t dnskey_ttl = 3600;
  std::uint32_t max_zone_ttl = 86'400;  // the longest TTL of the zone's data
  std::uint32_t ds_ttl = 86'400;        // of the parent
  // Until every server of the zone serves, newly signed, what this one has decided.
  std::uint32_t propagation = 3600;
  // From when a DS was seen at one of the parent's servers until all of them have it.
  std::uint32_t parent_propagation = 3600;
  bool operator==(const KeyTimes&) const = default;
};

struct KeyPolicy {
  KeyMode mode = KeyMode::kCsk;
  Algorithm algorithm = Algorithm::kEcdsaP256Sha256;
  KeyTimes times;
  PlanTime entry_lifetime = 0;          // of KSK and CSK; 0: until somebody asks
  PlanTime zsk_lifetime = 90 * 86'400;  // 0: until somebody asks
  PlanTime purge_after = 30 * 86'400;   // how long a removed key is remembered
  bool unsign = false;                  // the zone is to be unsigned: DS out first, then the keys
};

// A TTL whose smaller value counts only when caches have forgotten what had the larger one.
struct HeldTtl {
  std::uint32_t value = 0;
  std::uint32_t before = 0;
  PlanTime changed = 0;
  void set(std::uint32_t next, PlanTime now);
  std::uint32_t at(PlanTime now, std::uint32_t spreading) const;
  bool operator==(const HeldTtl&) const = default;
};

// All that must survive a restart.
struct KeyRecord {
  PlanTime now = 0;     // of the last step
  bool unsign = false;  // KeyPolicy's
  HeldTtl dnskey_ttl, max_zone_ttl, ds_ttl;
  std::vector<PlannedKey> keys;  // the older first
  bool operator==(const KeyRecord&) const = default;
};

struct KeyWish {
  KeyRole role;
  Algorithm algorithm;
  bool operator==(const KeyWish&) const = default;
};

// SHA-256 (crypto/digest.h), which the pure core does not compute itself.
using Sha256Function = std::array<std::byte, 32> (*)(Bytes message);

class KeyPlan {
 public:
  // Keys of one zone, those remembered included.
  static constexpr std::size_t kMaxKeys = 32;

  KeyPlan(KeyPolicy policy, KeyRecord record, PlanTime now);

  // Other settings from now on.
  void set_policy(const KeyPolicy& policy, PlanTime now);
  // Keys that must be made now: the caller makes them and adds them, then steps.
  std::vector<KeyWish> wishes(PlanTime now) const;
  // CHECKs that its tag is free.
  void add(KeyRole role, Algorithm algorithm, std::uint16_t tag, std::vector<std::byte> public_key,
           PlanTime now);
  bool has_tag(std::uint16_t tag) const;
  // Does all that may be done at `now`; an earlier time than that of the last step counts as that.
  // True when anything changed.
  bool step(PlanTime now);
  // When step() or wishes() may have something to do; nothing: not before an observation.
  std::optional<PlanTime> next_deadline(PlanTime now) const;

  // The parent's DS set has exactly the keys with these tags.
  bool observe_parent(const std::vector<std::uint16_t>& tags, PlanTime now);
  // Whether it matters what the parent has: something waits for it.
  bool waits_for_parent(PlanTime now) const;
  // Asks for the key to be replaced and led out; for a key of an unused role just led out. False:
  // no such key in use.
  bool ask_to_leave(std::uint16_t tag);

  const KeyRecord& record() const { return record_; }
  const KeyPolicy& policy() const { return policy_; }
  KeyState state_of(const PlannedKey& key, PlanTime now) const;
  // Some validator may hold a DS of the zone.
  bool secure(PlanTime now) const;

 private:
  PlanTime key_wait(PlanTime now) const;
  PlanTime data_wait(PlanTime now) const;
  PlanTime ds_wait(PlanTime now) const;
  bool known_published(const PlannedKey& key, PlanTime now) const;
  bool may_be_at_parent(const PlannedKey& key, PlanTime now) const;

  bool fits(const PlannedKey& key) const;
  bool follows(const PlannedKey& next, const PlannedKey& key) const;
  template <class Predicate>
  bool any_key(const Predicate& predicate) const;
  bool algorithm_signed(Algorithm algorithm, PlanTime now) const;
  bool ready_for_data(const PlannedKey& key, PlanTime now) const;
  bool ready_for_parent(const PlannedKey& key, PlanTime now) const;
  bool may_retire(const PlannedKey& key, PlanTime now) const;
  bool may_publish(const PlannedKey& key, PlanTime now) const;
  bool may_withdraw(const PlannedKey& key, PlanTime now) const;
  bool may_purge(const PlannedKey& key, PlanTime now) const;
  bool roll_due(const PlannedKey& key, PlanTime now) const;
  std::optional<PlanTime> roll_time(const PlannedKey& key, PlanTime now) const;

  bool once(PlanTime now);
  bool retire(PlanTime now);
  bool sign(PlannedKey& key, PlanTime now);
  bool stop_signing(PlannedKey& key, PlanTime now);
  bool offer(PlannedKey& key, PlanTime now);
  bool withdraw(PlanTime now);

  KeyPolicy policy_;
  KeyRecord record_;
};

// What is served of `record`; signers are null still. `owner` is the zone's name. No keys: it is
// unsigned.
ZoneKeys zone_keys(const KeyRecord& record, wire::dns::NameView owner, Sha256Function sha256);
ZoneKey zone_key(const PlannedKey& key);
// The data of the key's DS record by SHA-256 (RFC 4034 5.1, RFC 4509).
std::vector<std::byte> ds_data(wire::dns::NameView owner, const ZoneKey& key,
                               Sha256Function sha256);

}  // namespace timepool::dnssec
