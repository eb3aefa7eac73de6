// Files that hold secrets: read only when nobody else can.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace timepool::sys {

// The file's bytes, `max` at the most. Errors: kNotFound; kDenied when the group or others may read
// or write it, or it is not a plain file; kExhausted when there are more.
Result<std::string> read_secret_file(const std::string& path, std::size_t max);

}  // namespace timepool::sys
