#include "monitord/sanity.h"

#include <fmt/core.h>
#include <sys/timex.h>

#include <algorithm>
#include <cmath>

namespace timepool::monitord {

bool agrees(const std::vector<Sample>& samples, Duration max_offset) {
  constexpr int kUnsynchronised = 3;
  const Sample* best = nullptr;
  for (const Sample& sample : samples) {
    if (!sample.error.empty()) continue;
    if (best == nullptr || sample.rtt < best->rtt) best = &sample;
  }
  return best != nullptr && best->leap != kUnsynchronised &&
         std::fabs(best->offset) <= max_offset.to_seconds();
}

SanityVerdict judge_servers(const std::vector<bool>& agreeing, Duration max_offset) {
  const std::size_t all = agreeing.size();
  const auto good = static_cast<std::size_t>(std::ranges::count(agreeing, true));
  const std::size_t allowed_fails = all == 0 ? 0 : all - (all + 2) / 2;
  const bool sane = all > 0 && all - good <= allowed_fails;
  return {sane, fmt::format("{} of {} servers agree within {}", good, all, format(max_offset))};
}

SanityVerdict judge_kernel(bool synchronised, Duration max_error, Duration max_offset) {
  if (!synchronised) return {false, "the kernel says that the clock is not synchronised"};
  // The kernel's bound grows between updates and holds half the round trip: an order above
  // what an offset shows.
  constexpr std::int64_t kBoundToOffset = 50;
  return {max_error <= max_offset * kBoundToOffset,
          fmt::format("the kernel's largest error is {}", format(max_error))};
}

SanityVerdict ask_kernel(Duration max_offset) {
  timex state{};
  const int status = ::adjtimex(&state);  // modes 0: reads
  const bool synchronised = status >= 0 && status != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  return judge_kernel(synchronised, Duration::microseconds(state.maxerror), max_offset);
}

}  // namespace timepool::monitord
