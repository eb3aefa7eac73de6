// What the daemon needs once it has opened its sockets, from its settings, and giving up the rest.
#pragma once

#include <string>
#include <vector>

#include "config/ntpd.h"
#include "sys/landlock.h"
#include "sys/log.h"
#include "sys/seccomp.h"

namespace timepool::ntpd {

struct SandboxNeeds {
  std::vector<sys::PathRule> paths;
  std::vector<int> capabilities;
  std::vector<sys::SystemCalls> calls;
};

// `config_path` is read again on reload.
SandboxNeeds sandbox_needs(const config::NtpdConfig& config, const std::string& config_path);

// What of `now` a process can't have any more that kept `kept`, each as a text for the operator.
std::vector<std::string> given_up(const SandboxNeeds& kept, const SandboxNeeds& now,
                                  const config::NtpdSandboxConfig& sandbox);

// Gives up all but `needs`, as [sandbox] says, for good. Before the first thread is started. The
// control socket goes to the new user. A kernel that lacks a part of it is told in the log. Errors:
// [sandbox] user is not there or can't be taken.
Result<void> enter_sandbox(const config::NtpdConfig& config, const SandboxNeeds& needs,
                           sys::Logger& logger);

}  // namespace timepool::ntpd
