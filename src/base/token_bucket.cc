#include "base/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace timepool {

BucketRate BucketRate::of(double per_second, double burst) {
  if (!(per_second > 0)) return {};
  const double most = static_cast<double>(kMaxDepth);
  const double interval =
      std::clamp(std::floor(static_cast<double>(kTicksPerSecond) / per_second), 1.0, most);
  const double depth = std::clamp(interval * std::max(std::floor(burst), 1.0), interval, most);
  return {static_cast<std::uint64_t>(interval), static_cast<std::uint64_t>(depth)};
}

}  // namespace timepool
