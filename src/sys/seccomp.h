// The system calls of a daemon: what is on no list here the kernel refuses from then on.
//   needed by every daemon of ours             allowed
//   programs started, other processes read or
//   traced, file systems and kernel changed    the process is killed (SIGSYS), the audit log tells
//   everything else                            ENOSYS: what a C library expects of an older kernel
#pragma once

#include <vector>

#include "base/result.h"

namespace timepool::sys {

// What only some programs need.
enum class SystemCalls : unsigned char {
  kClock,         // to set and steer the system clock
  kSharedMemory,  // of System V
};

// False in builds for sanitizers, which do what no list of ours has.
bool can_filter_system_calls();

// For all threads of the process, now and later. Implies no_new_privs. Errors: this kernel has no
// filters.
Result<void> filter_system_calls(const std::vector<SystemCalls>& more);

}  // namespace timepool::sys
