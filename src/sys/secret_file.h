// Files that hold secrets: made so that nobody else can read them, read only when nobody else can.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::sys {

// Whether a file's group may read it: keys of certificates are often shared by a group of servers.
enum class SecretGroup : unsigned char { kNothing, kMayRead };

// The file's bytes, `max` at the most. Errors: kNotFound; kDenied when the group or others may read
// or write it, but for what `group` allows, or it is not a plain file; kExhausted when there are
// more.
Result<std::string> read_secret_file(const std::string& path, std::size_t max,
                                     SecretGroup group = SecretGroup::kNothing);

// Makes the file with `text`, mode 0600, durably and whole or not at all. Errors: kExists when
// there is one: a secret is never overwritten.
Result<void> create_secret_file(const std::string& path, std::string_view text);

}  // namespace timepool::sys
