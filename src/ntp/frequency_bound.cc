#include "ntp/frequency_bound.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "ntp/intersection.h"

namespace timepool::ntp {
namespace {

// Frequencies as integers of 10^-15, which the intersection counts as nanoseconds.
constexpr double kScale = 1e15;
// Nothing that is called a clock is further off: 10 %.
constexpr double kMost = 0.1;

Duration scaled(double frequency) {
  return Duration::nanoseconds(std::llround(std::clamp(frequency, -kMost, kMost) * kScale));
}

}  // namespace

double bounded_frequency(double frequency, std::span<const FrequencyClaim> claims) {
  CHECK(claims.size() <= kMaxCandidates);
  if (claims.empty()) return frequency;
  Intersection all;
  for (const FrequencyClaim& claim : claims) {
    const double width = claim.sd * kFrequencyWidth + kLeastFrequencyWidth;
    CHECK(all.add({scaled(claim.frequency - width), scaled(claim.frequency + width)}));
  }
  const std::size_t wanted = claims.size() - (claims.size() - 1) / 2;
  const Interval region = all.hull(std::min(wanted, all.most()));
  const Duration given = scaled(frequency);
  const Duration held = region.clamp(given);
  return held == given ? frequency : static_cast<double>(held.ns()) / kScale;
}

}  // namespace timepool::ntp
