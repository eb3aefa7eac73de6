// How many descriptors a process may still open.
#pragma once

#include <cstddef>

namespace timepool::sys {

// Of `wanted` descriptors as many as there may be, at least 1, after asking the system for all of
// them, with `reserved` left for everything else. `newest`: the last one that was opened, which
// tells how many there are. Limits can't be raised once system calls are filtered.
std::size_t descriptors_for(std::size_t wanted, int newest, std::size_t reserved);

}  // namespace timepool::sys
