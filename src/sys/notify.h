// What systemd is told: ready, reloading, stopping, status, watchdog, another main process, and
// descriptors that it keeps (sd_notify); and the descriptors that it gives. Nothing happens when
// the program was not started by it. Main thread only.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "sys/fd.h"

namespace timepool::sys {

void notify_ready(std::string_view status);
void notify_reloading();
void notify_stopping();
// To be called at least every watchdog_interval() when that is not zero.
void notify_watchdog();
// Half of WatchdogSec=; zero: no watchdog.
Duration watchdog_interval();

// The service is that process from now on.
void notify_main_pid(pid_t pid);
// systemd keeps a duplicate of `fd` for the next start of the service (FileDescriptorStoreMax=).
// `name` is made of letters, digits and '-'.
void notify_keep(int fd, const std::string& name);
// It closes those that it keeps under this name.
void notify_drop(const std::string& name);

struct GivenDescriptor {
  Fd fd;
  std::string name;  // as it was kept under; "unknown" when it has none
};
// Those that systemd gave this process (sd_listen_fds_with_names), once: the variables are gone
// then. At most kMaxGiven.
inline constexpr std::size_t kMaxGiven = 16'384;
std::vector<GivenDescriptor> take_given_descriptors();

}  // namespace timepool::sys
