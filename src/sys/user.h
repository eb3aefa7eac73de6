// Users of the system by name.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace timepool::sys {

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
};

// The user with this name or number. Errors: kNotFound.
Result<Account> account_of(const std::string& user);

// The user's number; `user` is a name or the number itself. Errors: kNotFound.
Result<uid_t> user_id(const std::string& user);

}  // namespace timepool::sys
