#include "ntp/smear.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace timepool::ntp {
namespace {

constexpr Duration hours(std::int64_t count) {
  return Duration::seconds(count * 3600);
}

constexpr Smear kSmears[] = {
    // 11.57 parts in a million: what most clouds do.
    {"linear, noon to noon", SmearShape::kLinear, hours(-12), hours(24)},
    {"linear, 20 hours", SmearShape::kLinear, hours(-10), hours(20)},
    {"linear, the day before", SmearShape::kLinear, hours(-24), hours(24)},
    {"linear, the day after", SmearShape::kLinear, hours(0), hours(24)},
    {"cosine, noon to noon", SmearShape::kCosine, hours(-12), hours(24)},
    {"cosine, 20 hours before", SmearShape::kCosine, hours(-20), hours(20)},
    {"cosine, 17 hours after", SmearShape::kCosine, hours(0), hours(17)},
    // 1000 parts in a million.
    {"UTC-SLS", SmearShape::kLinear, Duration::seconds(-1000), Duration::seconds(1000)},
};

}  // namespace

std::span<const Smear> known_smears() {
  return kSmears;
}

double smear_offset(const Smear& smear, Duration since, int leap_seconds) {
  const double share =
      std::clamp((since - smear.begin).to_seconds() / smear.length.to_seconds(), 0.0, 1.0);
  const double done =
      smear.shape == SmearShape::kLinear ? share : (1 - std::cos(std::numbers::pi * share)) / 2;
  // For an inserted second the server's clock runs slow and UTC steps back by one at the leap.
  const double utc = since < Duration() ? 0 : 1;
  return leap_seconds * (utc - done);
}

}  // namespace timepool::ntp
