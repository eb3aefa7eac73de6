// What a daemon gives up once it has opened its sockets: another user, capabilities, system calls
// and files, as its settings and its needs say. One mechanism for all daemons; which needs there
// are each knows itself.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sys/landlock.h"
#include "sys/log.h"
#include "sys/seccomp.h"

namespace timepool::sys {

// [sandbox]
struct SandboxSettings {
  std::string user;  // empty: as it was started
  bool seccomp = true;
  bool landlock = true;
  bool operator==(const SandboxSettings&) const = default;
};

struct SandboxNeeds {
  std::vector<PathRule> paths;
  std::vector<int> capabilities;  // CAP_...
  std::vector<SystemCalls> calls;
};

// Gathers SandboxNeeds::paths.
class SandboxPaths {
 public:
  // What the system's resolver reads, with the libraries that nsswitch.conf makes it load, the
  // zones of time, and what the C library asks about processors and memory.
  void add_system();
  // The directory that `file` is in: files are replaced by renaming. When the file is a link, the
  // directory of what it leads to as well. Nothing for an empty one.
  void add_directory_of(const std::string& file, PathAccess access);
  // What is not there may be made later, and there is no rule for it: then its nearest directory
  // that is.
  void add(const std::string& path, PathAccess access);
  std::vector<PathRule> take() { return std::move(rules_); }

 private:
  std::vector<PathRule> rules_;
};

// What of `now` a process can't have any more that kept `kept`, each as a text for the operator.
std::vector<std::string> given_up(const SandboxNeeds& kept, const SandboxNeeds& now,
                                  const SandboxSettings& settings);

// Gives up all but `needs`, as `settings` say, for good. Before the first thread is started. The
// file of the control socket, if there is one, goes to the new user. A kernel that lacks a part of
// it is told in the log. Errors: [sandbox] user is not there or can't be taken.
Result<void> enter_sandbox(const SandboxSettings& settings, const SandboxNeeds& needs,
                           const std::string& control_socket, Logger& logger);

}  // namespace timepool::sys
