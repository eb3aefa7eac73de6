// What the daemon needs once it has opened its sockets, from its settings, and giving up the rest.
#pragma once

#include <string>
#include <vector>

#include "config/ntpd.h"
#include "sys/log.h"
#include "sys/sandbox.h"

namespace timepool::ntpd {

using sys::SandboxNeeds;

// Whether the simulator of clocks and networks replaces the C library: there are neither threads
// nor netlink, files of its own are open, and its time is of another year than this build.
bool in_network_simulator();

// `config_path` is read again on reload.
SandboxNeeds sandbox_needs(const config::NtpdConfig& config, const std::string& config_path);

// sys::enter_sandbox(), but not in the simulator of clocks and networks, which replaces the C
// library. Errors: the same.
Result<void> enter_sandbox(const config::NtpdConfig& config, const SandboxNeeds& needs,
                           sys::Logger& logger);

}  // namespace timepool::ntpd
