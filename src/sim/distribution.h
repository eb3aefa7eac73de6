// The distributions that clocks and links are made of.
#pragma once

#include <cmath>
#include <numbers>

#include "base/duration.h"
#include "base/prng.h"

namespace timepool::sim {

// Mean 0, deviation 1 (Box and Muller).
inline double normal(Prng& prng) {
  const double u = 1.0 - prng.unit();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * prng.unit());
}

inline Duration exponential(Prng& prng, Duration mean) {
  return Duration::from_seconds(-mean.to_seconds() * std::log(1.0 - prng.unit()));
}

inline bool happens(Prng& prng, double probability) {
  return prng.unit() < probability;
}

}  // namespace timepool::sim
