// SigningPlan: everything of one CompiledZones that is to be signed by given keys, and how. It
// signs one task after the other, for a caller who has time, keeps what is still good, and puts
// the results together. Not for workers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/prng.h"
#include "dns/compiled/compiled.h"
#include "dns/signed/signed_zones.h"
#include "dnssec/rrset.h"
#include "dnssec/zone_keys.h"

namespace timepool::dns {

// How the zones' answers are signed.
struct SigningOptions {
  // The draws of a set that has more subsets than this, at the most; at most kMaxSubsets.
  std::uint32_t variants = 64;
  // Signatures that are made in a second at the most to draw answers anew (SigningRound).
  std::uint32_t redraw_signatures = 1000;
  dnssec::SignatureTimes times;
  bool operator==(const SigningOptions&) const = default;
};

// One SignedSet to be made.
struct SigningTask {
  std::uint32_t zone = 0;
  std::uint32_t node = 0;
  std::uint32_t ref = 0;      // as SignedZones has it
  std::uint64_t content = 0;  // SignedSet's
  std::uint64_t weights = 0;
  std::uint64_t place = 0;  // of owner, type and label: where an earlier version had another set
};

class SigningPlan {
 public:
  // The most keys that sign one set: in a roll of algorithms there are two.
  static constexpr std::size_t kMaxSigners = 4;

  // Zones that `keys` does not name are left unsigned. Nothing is given of those that it names
  // without keys, or with unusable ones, which problems() tells.
  SigningPlan(std::shared_ptr<const CompiledZones> zones, const dnssec::KeysByZone& keys,
              const SigningOptions& options);

  std::span<const SigningTask> tasks() const { return tasks_; }
  const std::vector<std::string>& problems() const { return problems_; }
  const std::shared_ptr<const CompiledZones>& zones() const { return zones_; }
  bool signs_anything() const { return !tasks_.empty(); }
  bool withholds_anything() const {
    return std::any_of(rings_.begin(), rings_.end(), [](const Keyring& it) { return it.withheld; });
  }

  // The task's answers: all subsets where there are no more than `variants`, else so many draws.
  // nullptr: signing failed. `before`: made for the same task; draws that it has are kept where
  // there are to be more of them, which end when those do.
  std::shared_ptr<const SignedSet> sign(const SigningTask& task, std::uint32_t variants,
                                        std::uint32_t now, Prng& prng,
                                        const SignedSet* before = nullptr);
  // Whether `set`, made for an equal task, can still be served at `now`.
  bool still_good(const SigningTask& task, const SignedSet& set, std::uint32_t now) const;
  // How many different answers of the task are signed ahead at the most.
  std::uint32_t variants_of(const SigningTask& task) const;

  // `sets`: one for each task, null where there is none: then nothing is given of its zone.
  std::shared_ptr<const SignedZones> assemble(
      std::span<const std::shared_ptr<const SignedSet>> sets) const;

 private:
  // The records of a task, as they go into answers.
  struct Source {
    wire::dns::RrType type{};
    std::uint32_t ttl = 0;
    std::vector<Bytes> rdata;
    std::vector<std::vector<std::byte>> own;  // what some of `rdata` lead to
    const CompiledZones::Set* set = nullptr;
    std::uint32_t take = 0;
  };
  struct Keyring {
    std::shared_ptr<const dnssec::ZoneKeys> keys;
    std::vector<const dnssec::ZoneKey*> data;
    std::vector<const dnssec::ZoneKey*> entry;  // of the sets DNSKEY, CDS and CDNSKEY
    std::uint64_t data_hash = 0;
    std::uint64_t entry_hash = 0;
    std::uint32_t apex = 0;
    std::uint32_t soa_set = CompiledZones::kNone;
    std::uint32_t nsec_ttl = 0;
    bool withheld = false;
  };
  // The signatures of one set while they are made.
  struct Signing;

  bool take_keys(std::uint32_t zone, const dnssec::KeysByZone& keys);
  void add_zone(std::uint32_t zone);
  void add_node(std::uint32_t zone, std::uint32_t node);
  void add(std::uint32_t zone, std::uint32_t node, std::uint32_t ref);
  bool is_cut(std::uint32_t node) const;
  bool is_of_zone(std::uint32_t node, wire::dns::RrType type) const;
  void add_sets(std::uint32_t zone, std::uint32_t node);
  void add_nsecs(std::uint32_t zone, std::uint32_t node);
  std::vector<wire::dns::RrType> types_of(std::uint32_t zone, std::uint32_t node) const;
  Source source_of(const SigningTask& task) const;
  Source nsec_of(const SigningTask& task) const;
  const std::vector<const dnssec::ZoneKey*>& signers_of(const SigningTask& task) const;
  bool is_wildcard(const SigningTask& task) const;
  bool is_keys(const SigningTask& task) const;
  std::uint64_t place_of(const SigningTask& task) const;
  std::vector<std::uint32_t> draw_variants(const Source& source, std::uint32_t variants,
                                           Prng& prng) const;
  bool sign_whole(const SigningTask& task, const Source& source, std::uint32_t variants, Prng& prng,
                  Signing& signing, SignedSet& out) const;
  bool sign_entries(const Source& source, std::uint32_t variants, Prng& prng, Signing& signing,
                    const SignedSet* before, SignedSet& out) const;

  std::shared_ptr<const CompiledZones> zones_;
  SigningOptions options_;
  std::set<std::uint32_t> hidden_cuts_;  // nodes of cuts whose child zones are served here
  std::vector<Keyring> rings_;           // one for each zone; keys null: not signed
  std::vector<SigningTask> tasks_;
  std::vector<std::string> problems_;
};

}  // namespace timepool::dns
