// Users of the system by name.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace timepool::sys {

// The user's number; `user` is a name or the number itself. Errors: kNotFound.
Result<uid_t> user_id(const std::string& user);

}  // namespace timepool::sys
