#include "load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace timepool::load {

std::size_t LatencyHistogram::bucket_of(std::uint64_t ns) {
  if (ns < kSub) return static_cast<std::size_t>(ns);
  const int exponent = static_cast<int>(std::bit_width(ns)) - 1;
  const int shift = exponent - kSubBits;
  const std::size_t sub = static_cast<std::size_t>(ns >> shift) - kSub;
  const std::size_t bucket = kSub * static_cast<std::size_t>(shift + 1) + sub;
  return std::min(bucket, kBuckets - 1);
}

std::uint64_t LatencyHistogram::upper_edge(std::size_t bucket) {
  if (bucket < kSub) return bucket;
  const std::size_t shift = bucket / kSub - 1;
  const std::uint64_t sub = bucket % kSub + kSub;
  return ((sub + 1) << shift) - 1;
}

void LatencyHistogram::record(Duration span, std::uint64_t count) {
  const Duration positive = std::max(span, Duration());
  counts_[bucket_of(static_cast<std::uint64_t>(positive.ns()))] += count;
  count_ += count;
  max_ = std::max(max_, positive);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

Duration LatencyHistogram::percentile(double fraction) const {
  if (count_ == 0) return {};
  const double wanted = std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(wanted)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) {
      return std::min(Duration::nanoseconds(static_cast<std::int64_t>(upper_edge(i))), max_);
    }
  }
  return max_;
}

}  // namespace timepool::load
