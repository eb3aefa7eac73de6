// CorrectionPolicy: whether an offset of the clock may be corrected, and whether by a step.
//
// RFC 8633 5.2: an attacker who can restart the daemon, or waits until it restarts, must not be
// able to set the clock to any time. So an offset above the panic threshold is corrected only with
//   * the allowance of the very first start, which the caller remembers on disk,
//   * accept(): a person said so, or
//   * a quorum of authenticated sources,
// and never to a time before the floor. What is refused is told; the daemon runs on and measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace timepool::ntp {

// The clock is stepped when it is further off than `threshold`, in the first `limit` updates, by at
// least `min_sources` that agree.
struct StepRule {
  Duration threshold = Duration::seconds(1);
  std::int64_t limit = 3;  // 0: never; negative: always
  std::size_t min_sources = 1;
  bool operator==(const StepRule&) const = default;
};

// After `start` updates an offset above `offset` is not corrected. The first `ignore` in a row
// count as disturbances; after them it is an alarm.
struct MaxChange {
  Duration offset;  // zero: no limit
  std::int64_t start = 1;
  std::int64_t ignore = 2;
  bool operator==(const MaxChange&) const = default;
};

struct CorrectionRules {
  StepRule step;
  MaxChange max_change;
  Duration panic = Duration::seconds(1000);  // zero: no threshold
  // This many authenticated sources that agree may pass the panic threshold; zero: never.
  std::size_t panic_quorum = 3;
  // The clock was never set on this machine: the first offset may be above the panic threshold.
  bool first_start = false;
  // No time before it is set: the build date (B27) ...
  UnixTime floor;
  // ... and the last time known to be right, which accept() may overrule.
  UnixTime last_good;
  bool operator==(const CorrectionRules&) const = default;
};

enum class CorrectionVerdict : std::uint8_t {
  kSlew,
  kStep,
  kIgnored,     // above max_change, for a few updates
  kMaxChange,   // above max_change, still
  kPanic,       // above the panic threshold
  kBeforeFloor  // it would set the clock to the past
};
// "slew", "step", "ignored", "max_change", "panic", "before_floor".
std::string_view name_of(CorrectionVerdict verdict);
constexpr bool is_correction(CorrectionVerdict verdict) {
  return verdict == CorrectionVerdict::kSlew || verdict == CorrectionVerdict::kStep;
}

struct Correction {
  Duration offset;                // true time less the system clock's
  UnixTime system;                // the clock now
  std::size_t sources = 0;        // that agree
  std::size_t authenticated = 0;  // of them
};

class CorrectionPolicy {
 public:
  explicit CorrectionPolicy(const CorrectionRules& rules) : rules_(rules) {}

  // Judges an update, the number `updates` since the start (1 is the first).
  CorrectionVerdict judge(const Correction& correction, std::uint64_t updates);
  // The clock had lost its time, for want of a battery, and begins at the last good one: how long
  // the machine was off nobody knows, so it has the allowance of a first start. No network can make
  // a clock lose its time, and it can only go forward from there.
  void clock_lost_its_time() { rules_.first_start = true; }
  // A person wants the clock corrected as it now stands: the next judgement is kStep, whatever the
  // offset is, but for the floor.
  void accept() { accepted_ = true; }
  // Whether the allowance of the first start was used.
  bool first_start_used() const { return first_start_used_; }

 private:
  bool above_max_change(const Correction& correction, std::uint64_t updates) const;
  bool may_pass_panic(const Correction& correction);
  bool may_step(const Correction& correction, std::uint64_t updates) const;

  CorrectionRules rules_;
  bool accepted_ = false;
  bool first_start_used_ = false;
  std::int64_t ignored_ = 0;
};

}  // namespace timepool::ntp
