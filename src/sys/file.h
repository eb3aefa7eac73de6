// Whole files: read with a maximum, written so that a crash leaves the old or the new one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::sys {

// The file's bytes. More than `max` is kExhausted; a directory or device that has no end too.
Result<std::string> read_file(const std::string& path, std::size_t max);

// Replaces `path`: a new file beside it, fsync, rename, fsync of the directory. `mode` as in chmod.
Result<void> write_file_atomic(const std::string& path, std::string_view bytes, mode_t mode = 0644);

// The same for what a program remembers from one run to the next: for its owner alone (0600), and
// the directory is made where there is none.
Result<void> write_state_file(const std::string& path, std::span<const std::byte> bytes);

// Makes `path` and what it stands in, with `mode`; nothing to do when it is a directory already.
Result<void> make_directories(const std::string& path, mode_t mode = 0755);

// "/run/timepool" of "/run/timepool/ntpd.sock"; "." when there is none.
std::string directory_of(const std::string& path);

}  // namespace timepool::sys
