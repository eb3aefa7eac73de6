#include "dnssec/key_plan.h"

#include <algorithm>

#include "base/byte_writer.h"
#include "base/check.h"

namespace timepool::dnssec {
namespace {

constexpr std::array<std::string_view, 3> kRoleNames{"ksk", "zsk", "csk"};
constexpr std::array<std::string_view, 6> kStateNames{"created", "published", "ready",
                                                      "active",  "retired",   "removed"};

// Certain to be with everybody: it began and did not end.
bool known(const KeySpan& span, PlanTime wait, PlanTime now) {
  return span.on() && now >= *span.from + wait;
}

// Certain to be with nobody.
bool forgotten(const KeySpan& span, PlanTime wait, PlanTime now) {
  return !span.from || (span.until && now >= *span.until + wait);
}

std::vector<KeyRole> roles_of(KeyMode mode) {
  if (mode == KeyMode::kCsk) return {KeyRole::kCsk};
  return {KeyRole::kKsk, KeyRole::kZsk};
}

bool in_use(const PlannedKey& key) {
  return key.published.on() || key.signing.on();
}

}  // namespace

std::string_view name_of(KeyRole role) {
  return kRoleNames[static_cast<std::size_t>(role)];
}

std::string_view name_of(Algorithm algorithm) {
  return algorithm == Algorithm::kEd25519 ? "ed25519" : "ecdsa-p256";
}

std::string_view name_of(KeyState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

void HeldTtl::set(std::uint32_t next, PlanTime now) {
  if (next == value) return;
  const bool held = now < changed + before;
  before = held ? std::max(before, value) : value;
  value = next;
  changed = now;
}

std::uint32_t HeldTtl::at(PlanTime now, std::uint32_t spreading) const {
  return now < changed + before + spreading ? std::max(value, before) : value;
}

KeyPlan::KeyPlan(KeyPolicy policy, KeyRecord record, PlanTime now)
    : policy_(policy), record_(std::move(record)) {
  set_policy(policy, now);
}

void KeyPlan::set_policy(const KeyPolicy& policy, PlanTime now) {
  policy_ = policy;
  record_.now = std::max(record_.now, now);
  record_.unsign = policy.unsign;
  record_.dnskey_ttl.set(policy.times.dnskey_ttl, record_.now);
  record_.max_zone_ttl.set(policy.times.max_zone_ttl, record_.now);
  record_.ds_ttl.set(policy.times.ds_ttl, record_.now);
}

// RFC 7583 3.2: Ipub = Dprp + TTLkey.
PlanTime KeyPlan::key_wait(PlanTime now) const {
  const std::uint32_t spreading = policy_.times.propagation;
  return PlanTime{record_.dnskey_ttl.at(now, spreading)} + spreading;
}

// RFC 7583 3.2: Iret = Dsgn + Dprp + TTLsig; signing anew is part of the propagation here.
PlanTime KeyPlan::data_wait(PlanTime now) const {
  const std::uint32_t spreading = policy_.times.propagation;
  return PlanTime{record_.max_zone_ttl.at(now, spreading)} + spreading;
}

// RFC 7583 3.3: Iret = DprpP + TTLds.
PlanTime KeyPlan::ds_wait(PlanTime now) const {
  const std::uint32_t spreading = policy_.times.parent_propagation;
  return PlanTime{record_.ds_ttl.at(now, spreading)} + spreading;
}

bool KeyPlan::known_published(const PlannedKey& key, PlanTime now) const {
  return known(key.published, key_wait(now), now);
}

bool KeyPlan::may_be_at_parent(const PlannedKey& key, PlanTime now) const {
  if (key.offered.on()) return true;
  // What was offered may be there though nobody looked.
  if (!key.at_parent.from) return key.offered.from.has_value();
  return !forgotten(key.at_parent, ds_wait(now), now);
}

bool KeyPlan::secure(PlanTime now) const {
  return any_key([&](const PlannedKey& key) { return may_be_at_parent(key, now); });
}

template <class Predicate>
bool KeyPlan::any_key(const Predicate& predicate) const {
  return std::any_of(record_.keys.begin(), record_.keys.end(), predicate);
}

bool KeyPlan::has_tag(std::uint16_t tag) const {
  return any_key([&](const PlannedKey& key) { return key.tag == tag; });
}

bool KeyPlan::fits(const PlannedKey& key) const {
  const std::vector<KeyRole> roles = roles_of(policy_.mode);
  return key.algorithm == policy_.algorithm &&
         std::find(roles.begin(), roles.end(), key.role) != roles.end();
}

// Whether `next` is there to take the place of `key`, as far as their roles have one in common.
bool KeyPlan::follows(const PlannedKey& next, const PlannedKey& key) const {
  if (&next == &key || !next.wanted || next.leave || !fits(next)) return false;
  return !fits(key) || key.leave || &next > &key;
}

// Whether every answer in a cache has a signature of the algorithm by a key that is published, or
// will be: it has been signed by one or another for so long.
bool KeyPlan::algorithm_signed(Algorithm algorithm, PlanTime now) const {
  const auto counts = [&](const PlannedKey& key) {
    return key.algorithm == algorithm && (key.wanted || key.published.on());
  };
  std::optional<PlanTime> since;
  for (const PlannedKey& key : record_.keys) {
    if (counts(key) && key.signing.on()) since = *key.signing.from;
  }
  if (!since) return false;
  for (bool found = true; found;) {
    found = false;
    for (const PlannedKey& key : record_.keys) {
      const KeySpan& span = key.signing;
      if (counts(key) && span.from && span.until && *span.until >= *since && *span.from < *since) {
        since = *span.from;
        found = true;
      }
    }
  }
  return now >= *since + data_wait(now);
}

bool KeyPlan::ready_for_data(const PlannedKey& key, PlanTime now) const {
  return signs_data(key.role) && known_published(key, now) && algorithm_signed(key.algorithm, now);
}

bool KeyPlan::ready_for_parent(const PlannedKey& key, PlanTime now) const {
  if (!is_entry_point(key.role) || !known_published(key, now)) return false;
  const bool signer = any_key([&](const PlannedKey& other) {
    return other.algorithm == key.algorithm && other.signing.on() && known_published(other, now);
  });
  // RFC 4035 2.2: once there is a DS, every algorithm of the DNSKEY set must be in every answer.
  return signer && !any_key([&](const PlannedKey& other) {
           return other.published.on() && !algorithm_signed(other.algorithm, now);
         });
}

bool KeyPlan::may_retire(const PlannedKey& key, PlanTime now) const {
  if (policy_.unsign) return true;
  const bool data = !signs_data(key.role) || any_key([&](const PlannedKey& next) {
    return follows(next, key) && ready_for_data(next, now);
  });
  const bool parent = !is_entry_point(key.role) || any_key([&](const PlannedKey& next) {
    return follows(next, key) && ready_for_parent(next, now);
  });
  return data && parent;
}

// All that may retire at this moment do, and those of an algorithm that goes only together.
bool KeyPlan::retire(PlanTime now) {
  std::vector<PlannedKey*> leaving;
  for (PlannedKey& key : record_.keys) {
    const bool alone = key.algorithm == policy_.algorithm || policy_.unsign;
    const bool held = !alone && any_key([&](const PlannedKey& other) {
      return other.algorithm == key.algorithm && other.wanted && !may_retire(other, now);
    });
    if (key.wanted && !held && may_retire(key, now)) leaving.push_back(&key);
  }
  for (PlannedKey* key : leaving) key->wanted = false;
  return !leaving.empty();
}

bool KeyPlan::may_publish(const PlannedKey& key, PlanTime now) const {
  if (!key.wanted || key.published.from) return false;
  const bool beside = any_key([&](const PlannedKey& other) {
    return other.algorithm == key.algorithm && other.published.on();
  });
  return beside || !secure(now) || algorithm_signed(key.algorithm, now);
}

bool KeyPlan::sign(PlannedKey& key, PlanTime now) {
  if (!key.wanted || !signs_data(key.role) || key.signing.from) return false;
  for (PlannedKey& other : record_.keys) {
    if (other.algorithm != key.algorithm || !other.signing.on()) continue;
    // Signs for those alone who still have its DNSKEY.
    if (!other.wanted && !other.published.on()) continue;
    if (other.wanted || !known_published(key, now)) return false;
    other.signing.until = now;
  }
  key.signing.from = now;
  return true;
}

// Without another that takes its place: its algorithm goes, or the zone becomes unsigned.
bool KeyPlan::stop_signing(PlannedKey& key, PlanTime now) {
  if (key.wanted || !key.signing.on()) return false;
  const bool nobody = policy_.unsign && !secure(now);
  if (!nobody && !forgotten(key.published, key_wait(now), now)) return false;
  key.signing.until = now;
  return true;
}

bool KeyPlan::offer(PlannedKey& key, PlanTime now) {
  if (!is_entry_point(key.role)) return false;
  if (key.wanted && !key.offered.from && ready_for_parent(key, now)) {
    key.offered.from = now;
    return true;
  }
  if (key.wanted || !key.offered.on()) return false;
  key.offered.until = now;
  return true;
}

bool KeyPlan::may_withdraw(const PlannedKey& key, PlanTime now) const {
  if (key.wanted || !key.published.on()) return false;
  const bool stays = any_key(
      [&](const PlannedKey& other) { return other.algorithm == key.algorithm && other.wanted; });
  if (stays) {
    return !may_be_at_parent(key, now) && forgotten(key.signing, data_wait(now), now);
  }
  // RFC 6781 4.1.4: the algorithm goes as one, and its signatures stay for those who have its keys.
  return !any_key([&](const PlannedKey& other) {
    return other.algorithm == key.algorithm && may_be_at_parent(other, now);
  });
}

bool KeyPlan::withdraw(PlanTime now) {
  std::vector<PlannedKey*> leaving;
  for (PlannedKey& key : record_.keys) {
    if (may_withdraw(key, now)) leaving.push_back(&key);
  }
  for (PlannedKey* key : leaving) key->published.until = now;
  return !leaving.empty();
}

bool KeyPlan::may_purge(const PlannedKey& key, PlanTime now) const {
  if (key.wanted || in_use(key) || may_be_at_parent(key, now)) return false;
  const PlanTime end = std::max({key.created, key.published.until.value_or(key.created),
                                 key.signing.until.value_or(key.created)});
  return now >= end + std::max({policy_.purge_after, key_wait(now), data_wait(now)});
}

bool KeyPlan::once(PlanTime now) {
  bool changed = retire(now);
  for (PlannedKey& key : record_.keys) {
    if (sign(key, now)) changed = true;
  }
  for (PlannedKey& key : record_.keys) {
    if (may_publish(key, now)) {
      key.published.from = now;
      changed = true;
    }
    if (offer(key, now)) changed = true;
  }
  if (withdraw(now)) changed = true;
  for (PlannedKey& key : record_.keys) {
    if (stop_signing(key, now)) changed = true;
  }
  return std::erase_if(record_.keys, [&](const PlannedKey& key) { return may_purge(key, now); }) >
             0 ||
         changed;
}

bool KeyPlan::step(PlanTime now) {
  now = std::max(now, record_.now);
  record_.now = now;
  bool changed = false;
  // Each key begins and ends each of its five things once.
  for (std::size_t i = 0; i < 10 * kMaxKeys && once(now); ++i) changed = true;
  return changed;
}

std::optional<PlanTime> KeyPlan::roll_time(const PlannedKey& key, PlanTime now) const {
  const PlanTime lifetime =
      key.role == KeyRole::kZsk ? policy_.zsk_lifetime : policy_.entry_lifetime;
  const std::optional<PlanTime> began =
      signs_data(key.role) ? key.signing.from : key.published.from;
  if (lifetime <= 0 || !began) return std::nullopt;
  // The next one is to be ready when this one's life ends.
  return *began + std::max<PlanTime>(lifetime - key_wait(now), 0);
}

bool KeyPlan::roll_due(const PlannedKey& key, PlanTime now) const {
  const auto at = roll_time(key, now);
  if (!at || now < *at) return false;
  // Not while a change of algorithm or mode is under way, nor while the parent has still to follow
  // the roll before.
  return !any_key([&](const PlannedKey& other) {
    if (other.wanted && !fits(other)) return true;
    return is_entry_point(key.role) && is_entry_point(other.role) && !other.wanted &&
           may_be_at_parent(other, now);
  });
}

std::vector<KeyWish> KeyPlan::wishes(PlanTime now) const {
  now = std::max(now, record_.now);
  std::vector<KeyWish> out;
  if (policy_.unsign) return out;
  for (const KeyRole role : roles_of(policy_.mode)) {
    std::size_t there = 0;
    bool due = false;
    for (const PlannedKey& key : record_.keys) {
      if (!key.wanted || key.leave || !fits(key) || key.role != role) continue;
      ++there;
      due = roll_due(key, now);
    }
    const bool missing = there == 0 || (there == 1 && due);
    if (missing && record_.keys.size() + out.size() < kMaxKeys) {
      out.push_back({role, policy_.algorithm});
    }
  }
  return out;
}

void KeyPlan::add(KeyRole role, Algorithm algorithm, std::uint16_t tag,
                  std::vector<std::byte> public_key, PlanTime now) {
  CHECK(!has_tag(tag) && record_.keys.size() < kMaxKeys);
  PlannedKey key;
  key.role = role;
  key.algorithm = algorithm;
  key.tag = tag;
  key.public_key = std::move(public_key);
  key.created = std::max(now, record_.now);
  record_.keys.push_back(std::move(key));
}

bool KeyPlan::ask_to_leave(std::uint16_t tag) {
  for (PlannedKey& key : record_.keys) {
    if (key.tag != tag || !key.wanted) continue;
    key.leave = true;
    return true;
  }
  return false;
}

bool KeyPlan::observe_parent(const std::vector<std::uint16_t>& tags, PlanTime now) {
  now = std::max(now, record_.now);
  bool changed = false;
  for (PlannedKey& key : record_.keys) {
    if (!is_entry_point(key.role)) continue;
    const bool there = std::find(tags.begin(), tags.end(), key.tag) != tags.end();
    KeySpan& span = key.at_parent;
    if (there && !span.on()) {
      span = {now, std::nullopt};
      changed = true;
    }
    if (there) continue;
    if (key.offered.on()) {
      // Not there yet, or not any more; the parent may take it at any time.
      if (span.from) changed = true;
      span = {};
      continue;
    }
    const bool was_offered = !span.from && key.offered.from;
    if (!span.on() && !was_offered) continue;
    // A parent that still finds the old CDS at one of our servers, or in a cache, may put it back.
    const PlanTime settled = key.offered.until.value_or(now - key_wait(now)) + key_wait(now);
    span = {span.from ? span.from : key.offered.from, std::max(now, settled)};
    changed = true;
  }
  return changed;
}

bool KeyPlan::waits_for_parent(PlanTime now) const {
  return any_key([&](const PlannedKey& key) {
    if (key.offered.on()) return !known(key.at_parent, ds_wait(now), now);
    return may_be_at_parent(key, now);
  });
}

std::optional<PlanTime> KeyPlan::next_deadline(PlanTime now) const {
  std::optional<PlanTime> next;
  const auto at = [&](PlanTime time) {
    if (time > now && (!next || time < *next)) next = time;
  };
  const auto span = [&](const KeySpan& it, PlanTime wait) {
    if (it.from) at(*it.from + wait);
    if (it.until) at(*it.until + wait);
  };
  const KeyTimes& times = policy_.times;
  const auto held = [&](const HeldTtl& it, std::uint32_t spreading) {
    if (it.before > it.value) at(it.changed + it.before + spreading);
  };
  held(record_.dnskey_ttl, times.propagation);
  held(record_.max_zone_ttl, times.propagation);
  held(record_.ds_ttl, times.parent_propagation);
  for (const PlannedKey& key : record_.keys) {
    span(key.published, key_wait(now));
    span(key.signing, data_wait(now));
    span(key.at_parent, ds_wait(now));
    if (const auto roll = roll_time(key, now); roll && key.wanted) at(*roll);
    const PlanTime purge = std::max({policy_.purge_after, key_wait(now), data_wait(now)});
    at(key.created + purge);
    span(key.published, purge);
    span(key.signing, purge);
  }
  return next;
}

KeyState KeyPlan::state_of(const PlannedKey& key, PlanTime now) const {
  now = std::max(now, record_.now);
  if (!key.wanted) {
    const bool gone = !in_use(key) && forgotten(key.published, key_wait(now), now);
    return gone ? KeyState::kRemoved : KeyState::kRetired;
  }
  if (key.published.on() && key.signing.on()) return KeyState::kActive;
  if (key.role == KeyRole::kKsk && known(key.at_parent, ds_wait(now), now)) {
    return KeyState::kActive;
  }
  if (known_published(key, now)) return KeyState::kReady;
  return in_use(key) ? KeyState::kPublished : KeyState::kCreated;
}

std::vector<std::byte> ds_data(wire::dns::NameView owner, const ZoneKey& key,
                               Sha256Function sha256) {
  constexpr std::uint8_t kSha256 = 2;  // RFC 4509 2.1
  constexpr std::size_t kHead = 4;     // tag, algorithm, type of digest
  const std::vector<std::byte> dnskey = dnskey_data(key);
  const wire::dns::DnsName name = wire::dns::lowered(owner);
  std::vector<std::byte> hashed(name.size() + dnskey.size());
  ByteWriter in(hashed);
  in.bytes(name.wire());
  in.bytes(dnskey);
  std::vector<std::byte> out(kHead + 32);
  ByteWriter writer(out);
  writer.u16(key.tag);
  writer.u8(static_cast<std::uint8_t>(key.algorithm));
  writer.u8(kSha256);
  writer.bytes(sha256(hashed));
  return out;
}

ZoneKey zone_key(const PlannedKey& key) {
  ZoneKey out;
  out.flags = is_entry_point(key.role) ? kZoneKeyFlag | kEntryPointFlag : kZoneKeyFlag;
  out.algorithm = key.algorithm;
  out.public_key = key.public_key;
  out.tag = key.tag;
  out.published = key.published.on();
  // Each entry point signs as soon as it is there, so that its DS may come at any time.
  out.signs_keys = is_entry_point(key.role) && out.published;
  out.signs_data = key.signing.on();
  return out;
}

ZoneKeys zone_keys(const KeyRecord& record, wire::dns::NameView owner, Sha256Function sha256) {
  ZoneKeys out;
  out.dnskey_ttl = record.dnskey_ttl.value;
  for (const PlannedKey& key : record.keys) {
    if (in_use(key)) out.keys.push_back(zone_key(key));
    if (!key.offered.on()) continue;
    out.cds.push_back(ds_data(owner, zone_key(key), sha256));
    out.cdnskey.push_back(dnskey_data(zone_key(key)));
  }
  if (record.unsign && !out.keys.empty()) {
    // RFC 8078 4: the one CDS and CDNSKEY that ask for the DS to go: "0 0 0 00" and "0 3 0 AA==".
    constexpr std::size_t kProtocol = 2;
    out.cds.assign(1, std::vector<std::byte>(5));
    out.cdnskey.assign(1, std::vector<std::byte>(5));
    out.cdnskey.front()[kProtocol] = std::byte{3};
  }
  std::sort(out.cds.begin(), out.cds.end());
  std::sort(out.cdnskey.begin(), out.cdnskey.end());
  return out;
}

}  // namespace timepool::dnssec
