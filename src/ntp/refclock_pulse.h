// Pulses: which second a pulse begins, by what somebody else says about the time.
#pragma once

#include "base/duration.h"
#include "base/time.h"
#include "ntp/refclock_reading.h"

namespace timepool::ntp {

// What is known of the time without the pulse: the true time is the local clock's and `offset`,
// within `bound`.
struct PulseReference {
  Duration offset;
  Duration bound;
};

// Pulses in a second.
inline constexpr int kMaxPulseRate = 1000;

struct PulseAlignment {
  RefclockReason reason = RefclockReason::kAmbiguous;
  Duration offset;  // true time less the local clock's, when kAccepted
};

// The offset nearest to the reference's that makes the pulse at `local` begin a part of a second.
// kAmbiguous when the pulse lies so far from where the reference expects it that the next one could
// be meant: more than 0.4 of the time between two, or half of it with the reference's bound.
PulseAlignment align_pulse(UnixTime local, int rate, const PulseReference& reference);

}  // namespace timepool::ntp
