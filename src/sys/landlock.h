// Landlock: which files a process may still open. The kernel's interface is called directly, since
// there is no library of it in the oldest system that is supported.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace timepool::sys {

enum class PathAccess : unsigned char {
  kRead,    // files read, directories listed
  kWrite,   // besides: files and sockets made, written, renamed and removed
  kDevice,  // besides reading: files written and controlled, none made
};

// `path` and all that is below it, now or later.
struct PathRule {
  std::string path;
  PathAccess access = PathAccess::kRead;
  bool operator==(const PathRule&) const = default;
};

// The version of the interface that the kernel has; 0: none, or it is switched off.
int landlock_version();

// From now on the calling thread, and every thread and process that it starts, opens and changes
// only what the rules allow; nothing may be executed, and no process outside may be signalled where
// the kernel knows how to refuse that. What is open stays usable. A rule for a path that does not
// exist has no effect. Implies no_new_privs. Errors: the kernel has none of it (kUnavailable).
Result<void> restrict_paths(const std::vector<PathRule>& rules);

// Whether a rule allows `access` to `path`, by its text: relative paths count from the working
// directory, links are not followed.
bool is_covered(const std::vector<PathRule>& rules, const std::string& path, PathAccess access);

}  // namespace timepool::sys
