// Refclock: a reference clock as a member of the source set. Takes what its driver reads, finds the
// second of each pulse, and makes one sample of the readings of each poll (ntp/refclock_filter.h).
// It does no I/O.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ntp/candidate.h"
#include "ntp/estimator.h"
#include "ntp/four_times.h"
#include "ntp/local_time.h"
#include "ntp/measured.h"
#include "ntp/refclock_filter.h"
#include "ntp/refclock_pulse.h"
#include "ntp/refclock_reading.h"

namespace timepool::ntp {

// More are refused.
inline constexpr std::size_t kMaxRefclocks = 16;
inline constexpr std::int8_t kLowestRefclockPoll = -6;
inline constexpr std::int8_t kHighestRefclockPoll = 10;

struct RefclockConfig {
  std::string name;  // what `lock` and reports call it
  wire::ntp::ReferenceId reference_id;
  std::uint8_t stratum = 0;  // of the clock that it is synchronised to; ours is one more
  std::int8_t poll = 4;      // log2 seconds from sample to sample, at the most
  std::size_t filter_length = kDefaultRefclockFilter;
  Duration offset;                            // added: the true time is that much later
  Duration delay = Duration::nanoseconds(1);  // twice the most that it may be off for good
  Duration precision = Duration::microseconds(1);
  Duration max_dispersion;  // of a reading about the others; zero: any
  bool pulses = false;      // all readings are taken for pulses
  int rate = 1;             // pulses in a second
  // Which source gives the seconds that pulses begin: a name, or empty for all sources together.
  std::string lock;
  bool tai = false;  // it keeps TAI
  // As EstimatorConfig's.
  std::size_t min_samples = 1;
  std::size_t max_samples = kMaxSamples;
  SelectOptions select;
};

// Whether the values keep the limits above and those of the filter and the pulses.
bool within_limits(const RefclockConfig& config);

// What a reading is judged by besides the time.
struct RefclockContext {
  std::optional<PulseReference> pulse;  // where the true time is, for pulses
  std::optional<Duration> tai_offset;   // TAI less UTC
};

class Refclock final : public Measured {
 public:
  // CHECKs within_limits(config). The first poll ends soon after `now`.
  Refclock(const RefclockConfig& config, const ExchangeConfig& clock, MonoTime now);

  const RefclockConfig& config() const { return config_; }

  // One look of the driver; `reading` counts with kAccepted only. Its times are raw.
  RefclockReason handle_look(RefclockReason reason, const RefclockReading& reading, LocalTime now,
                             const RefclockContext& context);
  MonoTime next_deadline() const { return poll_end_; }
  // Ends a poll. True when it brought a sample.
  bool handle_timer(LocalTime now);

  bool reachable() const override { return reach_ != 0; }
  bool measurable() const override { return reachable() && !samples_.empty(); }
  bool decided() const override {
    return !samples_.empty() || polls_ - lost_at_ >= kDecidedAfterPolls;
  }
  Estimate estimate(MonoTime now) const override { return samples_.estimate(now); }
  const Sample& latest() const override { return samples_.latest(); }
  std::uint8_t reach() const override { return reach_; }
  // Readings are in raw time: a step of the system clock is none of theirs.
  void handle_clock_step() override {}
  // The readings of the poll that runs are from both sides of the leap.
  void handle_leap(Duration step) override {
    samples_.shift(step);
    saved_.clear();
    filter_.clear();
  }
  void handle_time_lost(MonoTime now) override;
  bool has_samples() const override { return !samples_.empty(); }
  // As Association's.
  void resume(std::vector<Sample> saved);
  std::vector<Sample> window() const;

  // What its readings say at once, before the first poll ended: for those that are locked to it.
  std::optional<PulseReference> rough_time() const;

  RefclockReason last_reason() const { return last_reason_; }
  std::uint64_t count(RefclockReason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }
  // log2 seconds, of the poll that runs.
  std::int8_t poll() const { return poll_; }
  // What the last reading that was accepted became: its offset is the true time less raw time.
  // CHECKs that it was accepted with the last look.
  const RefclockPoint& newest_reading() const;
  // How many readings the poll that runs has, at the most those that are kept.
  std::size_t readings() const { return filter_.size(); }
  // Of the last poll that brought a sample: what became of its readings.
  const std::optional<RefclockMean>& last_mean() const { return last_mean_; }
  // How many polls brought a sample.
  std::uint64_t samples() const { return sample_count_; }
  // How many polls have ended.
  std::uint64_t polls() const { return polls_; }

 private:
  static constexpr std::uint64_t kDecidedAfterPolls = 3;

  RefclockReason judge(const RefclockReading& reading, LocalTime now,
                       const RefclockContext& context, Duration& offset) const;
  RefclockReason count_reason(RefclockReason reason);
  Sample sample_of(const RefclockMean& mean, LocalTime now) const;
  // Longer while our clock is steady as seen through the noise, shorter when it is not.
  void adapt_poll(std::size_t readings);
  void plan_poll(MonoTime now);

  RefclockConfig config_;
  RefclockFilter filter_;
  Estimator samples_;
  std::vector<Sample> saved_;
  MonoTime poll_end_;
  std::int8_t poll_;  // of the poll that runs
  double score_ = 0;  // of what speaks for a longer one; 1 and -1 decide
  std::optional<UnixTime> last_reading_;
  std::optional<RefclockMean> last_mean_;
  std::uint64_t sample_count_ = 0;
  std::uint8_t reach_ = 0;
  std::uint64_t polls_ = 0;
  std::uint64_t lost_at_ = 0;  // how many polls there were when time was lost
  RefclockReason last_reason_ = RefclockReason::kNothingNew;
  std::array<std::uint64_t, kRefclockReasonCount> counts_{};
};

}  // namespace timepool::ntp
