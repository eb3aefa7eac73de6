// Giving up privileges: another user, few capabilities, and no way back. Capabilities belong to a
// thread: all of this is for before the first one is started.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace timepool::sys {

struct Privileges {
  std::string user;       // name or number; empty: as now
  std::vector<int> keep;  // CAP_...; one that the process does not have is left out
};

// Becomes `user` with its groups, keeps only those capabilities, also in the bounding set as far as
// the process may change that, and sets no_new_privs. Nothing is inherited by programs that are
// started. Errors: no such user, or not allowed to become it.
Result<void> drop_privileges(const Privileges& wanted);

// The capabilities that the calling thread can use, a bit for each.
Result<std::uint64_t> effective_capabilities();

}  // namespace timepool::sys
