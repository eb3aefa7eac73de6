// Files that hold secrets: read only when nobody else can.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace timepool::sys {

// Whether a file's group may read it: keys of certificates are often shared by a group of servers.
enum class SecretGroup : unsigned char { kNothing, kMayRead };

// The file's bytes, `max` at the most. Errors: kNotFound; kDenied when the group or others may read
// or write it, but for what `group` allows, or it is not a plain file; kExhausted when there are
// more.
Result<std::string> read_secret_file(const std::string& path, std::size_t max,
                                     SecretGroup group = SecretGroup::kNothing);

}  // namespace timepool::sys
