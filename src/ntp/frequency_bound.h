// FrequencyBound: how fast our clock can run at all, by what a majority of the sources says. The
// offset is held by the correctness intervals (ntp/selection.h); without the same for the
// frequency, a few sources that agree and drift would carry the clock away between two samples.
#pragma once

#include <span>

namespace timepool::ntp {

// One source's frequency and its standard deviation, in seconds per second.
struct FrequencyClaim {
  double frequency = 0;
  double sd = 0;
};

// `frequency`, or the nearest that at least n - (n - 1) / 2 of n claims allow, each within
// kFrequencyWidth of its standard deviations; where so many never meet, the most that do. Unchanged
// when there are none.
double bounded_frequency(double frequency, std::span<const FrequencyClaim> claims);

inline constexpr double kFrequencyWidth = 5;
// However sure a source is: its server's clock wanders by as much.
inline constexpr double kLeastFrequencyWidth = 1e-8;

}  // namespace timepool::ntp
