// LatencyHistogram: counts of spans in buckets of constant relative width (1/32 of a power of two,
// so a percentile is right within 3.2 %), from 1 ns to 68 s. One thread; recording allocates
// nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/duration.h"

namespace timepool::load {

class LatencyHistogram {
 public:
  // Negative counts as zero, longer than the last bucket as the last bucket.
  void record(Duration span, std::uint64_t count = 1);
  void merge(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  // The span below which `fraction` (0 to 1) of the recorded ones lie: the upper edge of the bucket
  // that holds it, and never more than max(). Zero when nothing was recorded.
  Duration percentile(double fraction) const;
  Duration max() const { return max_; }

 private:
  static constexpr int kSubBits = 5;
  static constexpr std::size_t kSub = 1U << kSubBits;
  // Exact below 32 ns, then 32 buckets for each power of two up to 2^36 ns.
  static constexpr std::size_t kBuckets = kSub * (36 - kSubBits + 1);

  static std::size_t bucket_of(std::uint64_t ns);
  static std::uint64_t upper_edge(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  Duration max_;
};

}  // namespace timepool::load
