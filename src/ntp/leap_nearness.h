// LeapNearness: what a sample has to do with a leap second nearby. Sources that apply the leap a
// little before or after us are on the other side of it for that time; their samples are moved to
// ours.
#pragma once

#include "base/duration.h"

namespace timepool::ntp {

// Sampled less than this before or after the leap, the inserted second and who has applied it are
// unclear: the sample is not used.
inline constexpr Duration kLeapDeadTime = Duration::seconds(5);
// A server may apply a leap this long before or after us; later it is simply wrong.
inline constexpr Duration kLeapFoldTime = Duration::seconds(15 * 60);
// A sample this close to a whole second off is on the other side of the leap: half the way that a
// smeared source goes in its time stays outside.
inline constexpr Duration kLeapFoldWidth = Duration::milliseconds(250);
// How far a sample is from the leap; not near: as on any day.
struct LeapNearness {
  bool near = false;
  bool dead = false;  // within kLeapDeadTime
  Duration after;     // since the leap was due; negative before it
  Duration step;      // how true time jumps at it
};

// What is to be added to a sample's offset so that it belongs to our side of the leap. `surprise`
// is the sample's offset less the one expected. Zero when it is as it should be, or off by anything
// else.
Duration leap_fold(Duration surprise, const LeapNearness& leap);

}  // namespace timepool::ntp
