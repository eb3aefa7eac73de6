#include "refclock/phc_offset.h"

#include <algorithm>

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

// Reads no longer than the quickest and this part of it were held up by nothing.
constexpr std::int64_t kSlowerPart = 8;

Duration time_taken(const PhcComparison& comparison) {
  return comparison.after - comparison.before;
}

}  // namespace

Look compare_clocks(std::span<const PhcComparison> comparisons) {
  Look out;
  out.reason = RefclockReason::kBadField;
  Duration quickest = Duration::max();
  for (const PhcComparison& it : comparisons) {
    if (it.after >= it.before) quickest = std::min(quickest, time_taken(it));
  }
  if (quickest == Duration::max()) return out;
  const Duration limit = quickest + quickest / kSlowerPart;
  const UnixTime base = comparisons.front().before;
  Duration local_sum;
  Duration offset_sum;
  std::int64_t count = 0;
  for (const PhcComparison& it : comparisons) {
    if (it.after < it.before || time_taken(it) > limit) continue;
    const UnixTime middle = it.before + time_taken(it) / 2;
    if ((it.device - middle).abs() > ntp::kMaxRefclockOffset) {
      out.reason = RefclockReason::kTooLarge;
      return out;
    }
    local_sum += middle - base;
    offset_sum += it.device - middle;
    ++count;
  }
  out.reason = RefclockReason::kAccepted;
  out.reading.local = base + local_sum / count;
  out.reading.offset = offset_sum / count;
  out.reading.dispersion = quickest / 2;
  return out;
}

}  // namespace timepool::refclock
