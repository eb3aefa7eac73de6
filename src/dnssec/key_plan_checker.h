// KeyPlanChecker: what validators may hold of a zone while its keys change, and whether every one
// of them can validate. For tests alone.
//
// It is told what the zone's servers and the parent's serve from each moment on. Any server may
// serve the state before for some time more, and any cache keep what it got for its TTL; so at each
// moment there is a set of DNSKEY sets, of signed answers, and of DS sets that somebody may hold,
// and any three of them may meet in one validator. Two kinds of validators are asked: one that
// takes any chain (RFC 6840 5.11), and one that wants every algorithm that DS and DNSKEY set name,
// in every set (RFC 4035 2.2).
#pragma once

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "dnssec/key_plan.h"

namespace timepool::dnssec {

class KeyPlanChecker {
 public:
  struct Key {
    std::uint16_t tag = 0;
    int algorithm = 0;
    bool entry = false;
    auto operator<=>(const Key&) const = default;
  };
  using Keys = std::set<Key>;
  // What is served from `from` until `until`, and with which TTL.
  struct Set {
    Keys keys;
    std::vector<std::uint16_t> offered;  // with the DNSKEY set: the tags of CDS
    bool remove = false;                 // CDS asks for the DS to go
    PlanTime from = 0;
    PlanTime until = std::numeric_limits<PlanTime>::max() / 2;
    std::uint32_t ttl = 0;
    PlanTime end() const { return until + ttl; }
  };

  explicit KeyPlanChecker(KeyTimes times) : times_(times) {}

  // What the zone serves from `now` on, if it is something else than before; what some validator
  // could not validate then, or an empty text.
  std::string zone(const KeyRecord& record, const KeyTimes& ttls, bool unsign, PlanTime now) {
    Set keys, data;
    for (const PlannedKey& it : record.keys) {
      const Key key{it.tag, static_cast<int>(it.algorithm), is_entry_point(it.role)};
      if (it.published.on()) keys.keys.insert(key);
      if (it.signing.on()) data.keys.insert(key);
      if (it.offered.on()) keys.offered.push_back(it.tag);
    }
    keys.remove = unsign && !keys.keys.empty();
    keys.ttl = ttls.dnskey_ttl;
    data.ttl = ttls.max_zone_ttl;
    const bool one = put(dnskeys_, keys, times_.propagation, now);
    const bool two = put(data_, data, times_.propagation, now);
    return one || two ? check(now) : "";
  }
  std::string parent(const Keys& ds, std::uint32_t ttl, PlanTime now) {
    Set set;
    set.keys = ds;
    set.ttl = ttl;
    return put(parents_, set, times_.parent_propagation, now) ? check(now) : "";
  }

  // All that may be held at `now` or served by a server that is behind, the newest last.
  const std::vector<Set>& dnskeys() const { return dnskeys_; }
  const std::vector<Set>& parents() const { return parents_; }
  std::uint64_t checked() const { return checked_; }

 private:
  static bool put(std::vector<Set>& sets, Set next, PlanTime spreading, PlanTime now) {
    std::erase_if(sets, [&](const Set& it) { return it.end() <= now; });
    if (!sets.empty()) {
      const Set& last = sets.back();
      if (last.keys == next.keys && last.ttl == next.ttl && last.offered == next.offered &&
          last.remove == next.remove) {
        return false;
      }
      sets.back().until = now + spreading;
    }
    next.from = now;
    sets.push_back(std::move(next));
    return true;
  }

  std::string check(PlanTime now) {
    for (const Set& ds : parents_) {
      if (ds.end() <= now || ds.keys.empty()) continue;
      for (const Set& keys : dnskeys_) {
        for (const Set& data : data_) {
          if (keys.end() <= now || data.end() <= now) continue;
          ++checked_;
          if (!validates(ds, keys, data) || !validates_strictly(ds, keys, data)) {
            return "at " + std::to_string(now) + ": DS {" + text(ds) + "} DNSKEY {" + text(keys) +
                   "} answers of {" + text(data) + "}";
          }
        }
      }
    }
    return "";
  }

  static Keys both(const Keys& a, const Keys& b) {
    Keys out;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
    return out;
  }
  static bool has(const Keys& keys, int algorithm, bool entry) {
    return std::any_of(keys.begin(), keys.end(), [&](const Key& key) {
      return key.algorithm == algorithm && (key.entry || !entry);
    });
  }
  static bool validates(const Set& ds, const Set& keys, const Set& data) {
    return !both(ds.keys, keys.keys).empty() && !both(data.keys, keys.keys).empty();
  }
  static bool validates_strictly(const Set& ds, const Set& keys, const Set& data) {
    const Keys entries = both(ds.keys, keys.keys);
    const Keys signers = both(data.keys, keys.keys);
    for (const Key& key : ds.keys) {
      if (!has(entries, key.algorithm, true)) return false;
    }
    for (const Key& key : keys.keys) {
      if (!has(signers, key.algorithm, false) || !has(keys.keys, key.algorithm, true)) return false;
    }
    return true;
  }
  static std::string text(const Set& set) {
    std::string out;
    for (const Key& key : set.keys) {
      out += (out.empty() ? "" : " ") + std::to_string(key.tag) + "/" +
             std::to_string(key.algorithm) + (key.entry ? "e" : "");
    }
    return out;
  }

  KeyTimes times_;
  std::vector<Set> dnskeys_, data_, parents_;
  std::uint64_t checked_ = 0;
};

}  // namespace timepool::dnssec
