// SampleFilter: which samples of one source are worth having, before they are estimated from: those
// whose delay stands out are left out, and of several in a row only the median may be kept. The
// estimator weighs by delay anyway; these are for paths whose errors don't follow their delays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/ring_buffer.h"
#include "ntp/sample.h"

namespace timepool::ntp {

inline constexpr std::size_t kMaxMedianOf = 64;

struct SampleFilterConfig {
  // Each zero is off.
  double max_delay_ratio = 0;      // to the least delay of the samples kept
  double max_delay_dev_ratio = 0;  // of half the excess delay to the samples' scatter
  double max_delay_quantile = 0;   // of the last delays seen, 0 to 1
  // The median of so many samples becomes one; 1 keeps all. At most kMaxMedianOf.
  std::size_t median_of = 1;
  bool operator==(const SampleFilterConfig&) const = default;
};

// What is known of the samples that were kept.
struct KnownDelays {
  bool any = false;
  Duration least;
  Duration scatter;  // Estimator::scatter()
};

class SampleFilter {
 public:
  // CHECKs the limits of the configuration.
  explicit SampleFilter(const SampleFilterConfig& config);

  // Whether the sample's delay lets it through. The quantile judges from kQuantileDelays delays on.
  bool passes(const Sample& sample, const KnownDelays& known);
  // A sample that passed: what is to be estimated from now, if anything.
  std::optional<Sample> add(const Sample& sample);
  // What is gathered for the median means nothing any more.
  void clear() { gathered_.clear(); }

  static constexpr std::size_t kQuantileDelays = 16;

 private:
  bool within_quantile(Duration delay);

  SampleFilterConfig config_;
  RingBuffer<Duration, 64> delays_;
  RingBuffer<Sample, kMaxMedianOf> gathered_;
};

}  // namespace timepool::ntp
