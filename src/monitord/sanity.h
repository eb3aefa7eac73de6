// Sanity: whether this machine's clock is good enough to judge others by. Pure: what was measured
// or what the kernel says goes in, a verdict comes out.
#pragma once

#include <string>
#include <vector>

#include "base/duration.h"
#include "monitord/messages.h"

namespace timepool::monitord {

struct SanityVerdict {
  bool sane = false;
  std::string text;  // why, for the log and the status: "4 of 5 servers agree within 10ms"
};

// The samples of one known-good server. It agrees when its best sample (least round trip) says that
// we are within `max_offset` and it is synchronised.
bool agrees(const std::vector<Sample>& samples, Duration max_offset);

// Of n servers n - (n+2)/2 may disagree or be silent (ppool/monitor: 0 of 1 or 2, 1 of 3 or 4, 2 of
// 5 or 6); more, or no server at all, is not sane.
SanityVerdict judge_servers(const std::vector<bool>& agreeing, Duration max_offset);

// What adjtimex(2) says: synchronised or not and the largest error.
SanityVerdict judge_kernel(bool synchronised, Duration max_error, Duration max_offset);

// Reads the kernel's state and judges it; changes nothing.
SanityVerdict ask_kernel(Duration max_offset);

}  // namespace timepool::monitord
