// ClockFilter: the last eight samples of one server (RFC 5905 10) and the one to believe now.
//
// DEVIATION(rfc5905 10): the sample with the smallest error bound at the moment is taken, not the
// one with the smallest delay: half the delay, its dispersion and the drift of our clock since. So
// an old fast exchange loses to a fresh one as soon as its bound is the larger.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/ring_buffer.h"
#include "ntp/sample.h"

namespace timepool::ntp {

inline constexpr std::size_t kFilterStages = 8;

// What the filter makes of its samples.
struct Estimate {
  Sample sample;        // the one believed
  Duration jitter;      // root mean square of the others' offsets about it (RFC 5905 equation 5)
  Duration dispersion;  // of the sample, grown until now
  // Half the width of the correctness interval around sample.offset (RFC 5905 figure 27).
  Duration distance;
};

class ClockFilter {
 public:
  explicit ClockFilter(std::int64_t clock_error_ppb) : clock_error_ppb_(clock_error_ppb) {}

  void add(const Sample& sample) { samples_.push_back(sample); }
  // After a step of the local clock the offsets mean nothing any more.
  void clear() { samples_.clear(); }
  bool empty() const { return samples_.empty(); }
  std::size_t size() const { return samples_.size(); }
  // CHECKs !empty().
  const Sample& latest() const { return samples_.back(); }
  // The estimate at `now`; CHECKs !empty().
  Estimate estimate(MonoTime now) const;

 private:
  Duration error_bound(const Sample& sample, MonoTime now) const;
  Duration jitter_about(const Sample& believed) const;

  RingBuffer<Sample, kFilterStages> samples_;
  std::int64_t clock_error_ppb_;
};

}  // namespace timepool::ntp
