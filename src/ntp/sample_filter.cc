#include "ntp/sample_filter.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace timepool::ntp {

SampleFilter::SampleFilter(const SampleFilterConfig& config) : config_(config) {
  CHECK(config.median_of >= 1 && config.median_of <= kMaxMedianOf);
  CHECK(config.max_delay_quantile >= 0 && config.max_delay_quantile <= 1);
}

// Against those before it: the newest joins them whether it passes or not.
bool SampleFilter::within_quantile(Duration delay) {
  bool within = true;
  const std::size_t count = delays_.size();
  if (count >= kQuantileDelays) {
    std::array<Duration, 64> sorted{};
    for (std::size_t i = 0; i < count; ++i) sorted[i] = delays_[i];
    const double place = config_.max_delay_quantile * static_cast<double>(count - 1);
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(place);
    std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<std::ptrdiff_t>(count));
    within = delay <= *at;
  }
  delays_.push_back(delay);
  return within;
}

bool SampleFilter::passes(const Sample& sample, const KnownDelays& known) {
  const double delay = sample.delay.to_seconds();
  // Asked first: it learns from each sample.
  if (config_.max_delay_quantile > 0 && !within_quantile(sample.delay)) return false;
  if (!known.any) return true;
  const double least = known.least.to_seconds();
  if (config_.max_delay_ratio > 0 && delay > config_.max_delay_ratio * least) return false;
  const double excess = (delay - least) / 2;
  return config_.max_delay_dev_ratio <= 0 ||
         excess <= config_.max_delay_dev_ratio * known.scatter.to_seconds();
}

std::optional<Sample> SampleFilter::add(const Sample& sample) {
  if (config_.median_of == 1) return sample;
  gathered_.push_back(sample);
  const std::size_t count = gathered_.size();
  if (count < config_.median_of) return std::nullopt;
  std::array<std::size_t, kMaxMedianOf> order{};
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
  std::nth_element(
      order.begin(), middle, order.begin() + static_cast<std::ptrdiff_t>(count),
      [&](std::size_t a, std::size_t b) { return gathered_[a].offset < gathered_[b].offset; });
  const Sample out = gathered_[*middle];
  gathered_.clear();
  return out;
}

}  // namespace timepool::ntp
