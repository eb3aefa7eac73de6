// SigningRound: keeps the signed answers of the newest zones and keys, and makes, a few at a time,
// those that are missing, that soon expire, or whose draws were handed out and are older than their
// TTL. How many draws a set has goes by how often it is asked for (docs/adr/0050). No thread, no
// clock: whoever has them calls step(). What was signed before and still fits is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "dns/signed/signing_plan.h"

namespace timepool::dnsd {

class SigningRound {
 public:
  // Where all variants of all sets are more signatures than this, a set that nobody asks for has
  // few, and the others follow its being asked for.
  static constexpr std::size_t kFewAbove = 20'000;
  static constexpr std::uint32_t kFewVariants = 4;
  // No set is drawn more often, whatever its TTL.
  static constexpr Duration kLeastRedraw = Duration::seconds(5);
  // After a key failed to sign.
  static constexpr Duration kRetry = Duration::seconds(10);

  explicit SigningRound(std::uint64_t seed) : prng_(seed) {}

  struct Clocks {
    MonoTime mono;
    std::uint32_t unix_time = 0;  // seconds modulo 2^32
  };

  // Turns to other zones, keys or options. A zone that `keys` does not name is not signed. One that
  // it names with none, or with keys that cannot sign, is given as it was: with the keys that it
  // had before, or without signatures if that is how this object gave it; else nothing is given of
  // it until there are keys. problems() says so.
  void turn_to(std::shared_ptr<const dns::CompiledZones> zones, const dnssec::KeysByZone& keys,
               const dns::SigningOptions& options, const Clocks& now);

  // Makes what is most needed, until `signatures` were made or there is nothing to do. Returns
  // whether anything is new.
  bool step(const Clocks& now, std::size_t signatures);
  // When step() has something to do next, at the latest a second from now.
  MonoTime next(const Clocks& now) const;

  bool signs_anything() const { return plan_ != nullptr && plan_->signs_anything(); }
  bool withholds_anything() const { return plan_ != nullptr && plan_->withholds_anything(); }
  // Sets that no answer can be given from yet, and whether all of them were tried in vain.
  std::size_t missing() const { return missing_.size(); }
  bool stuck() const { return stuck_; }
  const std::shared_ptr<const dns::CompiledZones>& zones() const { return plan_->zones(); }
  std::shared_ptr<const dns::SignedZones> result() const { return plan_->assemble(sets_); }
  std::vector<std::string> problems() const;

  struct Totals {
    std::uint64_t signatures = 0;
    std::uint64_t failures = 0;
    std::size_t sets = 0;
    std::size_t drawn = 0;     // of them, those whose answers are drawn ahead
    Duration behind;           // how long the longest waiting of those asked for is over its time
    std::uint32_t oldest = 0;  // Unix time at which the oldest signature was made
  };
  Totals totals(const Clocks& now) const;

 private:
  void adopt_keys(const dnssec::KeysByZone& keys);
  void note_bare();
  void find_due(const Clocks& now);
  // `counts`: by place, how many variants there were before.
  void choose_first(const std::unordered_map<std::uint64_t, std::uint32_t>& counts);
  bool make_missing(const Clocks& now, std::uint64_t until);
  bool make_due(const Clocks& now, std::uint64_t until);
  enum class Draws { kAnew, kAdded };
  bool make(std::uint32_t task, const Clocks& now, std::uint32_t variants, Draws draws);
  MonoTime due_after(const dns::SignedSet& set, const Clocks& now);
  // Whether it is to be drawn anew.
  bool is_due(std::uint32_t task, const Clocks& now) const;
  // How many draws it is to have, as often as it was asked for.
  std::uint32_t wanted(std::uint32_t task) const;
  void refill(const Clocks& now);
  std::size_t cost(const dns::SignedSet& set) const;

  Prng prng_;
  dns::SigningOptions options_;
  dnssec::KeysByZone keys_;  // as they are used
  std::vector<std::string> key_problems_;
  std::set<std::string> bare_;  // zones that are given without signatures, in wire form
  std::unique_ptr<dns::SigningPlan> plan_;
  // One for each task of the plan.
  std::vector<std::shared_ptr<const dns::SignedSet>> sets_;
  std::vector<MonoTime> due_;  // when it is to be drawn anew
  std::vector<std::uint32_t> missing_;
  std::vector<std::uint32_t> first_;  // variants that each of missing_ begins with
  std::size_t tried_ = 0;             // of missing_ without success, its last ones
  bool stuck_ = false;
  bool failed_ = false;               // one of the queue
  bool now_failing_ = false;          // one of the last whole queue
  std::vector<std::uint32_t> queue_;  // due ones, the most urgent last
  std::size_t needed_ = 0;            // of queue_, its last: those whose draws may not be served on
  MonoTime queue_made_;
  MonoTime retry_at_;
  std::uint32_t least_ = kFewVariants;
  // Signatures that may be made to draw anew: a second's at the most, less than none after a set
  // with many.
  double allowance_ = 0;
  MonoTime refilled_;
  std::uint64_t signatures_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace timepool::dnsd
