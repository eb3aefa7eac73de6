// Estimator: what one source's samples together say of our clock: its offset and frequency, how
// sure both are, and a bound that the truth keeps. Everything is in raw time, so that steering the
// clock changes no sample.
//
// The last kMaxSamples samples are kept and fitted anew with each (ntp/clock_fit.h). A sample that
// no drift of our clock can explain is set aside: alone it is forgotten, but when the next one
// agrees with it the source's clock has been set, and what came before is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ring_buffer.h"
#include "base/static_vector.h"
#include "ntp/clock_fit.h"
#include "ntp/sample.h"

namespace timepool::ntp {

inline constexpr std::size_t kMaxSamples = 128;

struct EstimatorConfig {
  // The most that the local clock's frequency is off before it is measured, in parts in 10^9.
  std::int64_t clock_error_ppb = 50'000;
  // How much its frequency may change between two samples beyond what the samples before show, in
  // parts in 10^9 (ADR 0024).
  std::int64_t max_clock_error_ppb = 1'000;
  // log2 seconds: how well the local clock can be read.
  std::int8_t precision = -20;
  // 1 to kMaxSamples: the most that are kept, and how many at least the fit leans on.
  std::size_t max_samples = kMaxSamples;
  std::size_t min_samples = 1;
};

// What the samples together say, at the moment that was asked for.
struct Estimate {
  Sample sample;    // the one with the smallest error bound
  Duration offset;  // true time less raw time, now
  // Seconds by which true time advances more than one in a second of raw time.
  double frequency = 0;
  bool has_frequency = false;  // there are samples enough for it to mean something
  // Standard deviations, in seconds and in seconds per second: of the offset now, of the frequency,
  // of the offset when the last sample came.
  double offset_sd = 0;
  double frequency_sd = 0;
  double last_offset_sd = 0;
  double wander = 0;      // variance that the frequency gains in a second
  double asymmetry = 0;   // share of the excess delay that is error, -0.5 to 0.5
  std::size_t count = 0;  // samples behind it
  Duration span;          // from the first of them to the last
  Duration last_offset;   // as fitted, at the last sample
  LocalTime at;           // when the last sample came
  Duration jitter;        // root mean square of the samples about the fit
  Duration dispersion;    // of `sample`, grown until now
  // Half the width of the correctness interval around `offset`: the truth is within while the
  // server is right about itself.
  Duration distance;

  // The offset at another moment of raw time, by the frequency.
  Duration offset_at(UnixTime raw) const {
    return last_offset + Duration::from_seconds(frequency * (raw - at.raw).to_seconds());
  }
};

class Estimator {
 public:
  // CHECKs the limits of the configuration.
  explicit Estimator(const EstimatorConfig& config);

  void add(const Sample& sample);
  // Begins with the samples of an earlier run, at most kMaxSamples, and the first of this one. They
  // are dropped when it does not fit them. CHECKs empty().
  void resume(std::span<const Sample> before, const Sample& first);
  // True time jumped against raw time: adds to every offset.
  void shift(Duration by);
  // Raw time was lost: the offsets mean nothing any more.
  void clear();
  bool empty() const { return samples_.empty(); }
  std::size_t size() const { return samples_.size(); }
  // CHECK !empty().
  const Sample& latest() const { return samples_.back(); }
  const Sample& operator[](std::size_t index) const { return samples_[index]; }
  Estimate estimate(MonoTime now) const;
  // Of the samples kept. CHECK !empty().
  Duration least_delay() const;
  // How far a sample of `now` may usually be from the fit: the jitter, or what the fit itself has
  // become unsure by; Duration::max() before there are samples enough to say.
  Duration scatter(MonoTime now) const;
  // For PollSchedule::accepted(): what the samples say of an interval of 2^poll seconds. CHECKs
  // !empty().
  double poll_score(int poll) const;

 private:
  bool agree_about_time(const Sample& before, const Sample& after) const;
  // Whether any drift of our clock explains the sample.
  bool fits(const Sample& sample) const;
  void forget_all_but(std::size_t newest);
  void fit();
  void find_bounds();
  Duration drift(Duration span) const;

  EstimatorConfig config_;
  RingBuffer<Sample, kMaxSamples> samples_;
  RingBuffer<Sample, 4> aside_;  // the last ones that did not fit
  // Those whose bound may be the least, the newest first, and what it is without the drift since.
  // A sample that says no more than a newer one never will: drift only grows with age.
  struct Bound {
    std::size_t index;
    Duration fixed;
  };
  StaticVector<Bound, kMaxSamples> bounds_;
  ClockFit fit_;  // of the samples; seconds from the last one, offsets from its offset
  Duration jitter_;
};

// The samples that are kept, the oldest first.
std::vector<Sample> samples_of(const Estimator& estimator);

}  // namespace timepool::ntp
