// Around a leap not everybody applies it at the same moment: some servers are told late, some
// smooth their own way over it. A sample that is off by just the leap's second while that is so
// belongs to the other side of the leap and is moved to ours, so that its server is neither taken
// for a liar nor moves the clock.
#pragma once

#include <optional>

#include "ntp/leap_table.h"

namespace timepool::ntp {

// Sampled less than this before or after the leap, the inserted second and who has applied it are
// unclear: the sample is dropped.
inline constexpr Duration kLeapDeadTime = Duration::seconds(5);
// A server may apply a leap this long before or after us; later it is simply wrong.
inline constexpr Duration kLeapFoldTime = Duration::seconds(15 * 60);
// A sample this close to a whole second off is on the other side of the leap: half the way that a
// smeared source goes in its time stays outside.
inline constexpr Duration kLeapFoldWidth = Duration::milliseconds(250);

// What is to be added to a sample's offset so that it belongs to our side of the leap.
//   surprise       the sample's offset less the one expected from earlier ones
//   after          time since the leap was due; negative before it
//   step           how true time jumps at the leap (step_of)
// Zero when the sample is no other than it should be, or off by anything else.
Duration leap_fold(Duration surprise, Duration after, Duration step);

}  // namespace timepool::ntp
