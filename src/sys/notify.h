// What systemd is told: ready, reloading, stopping, status, watchdog (sd_notify). Nothing happens
// when the program was not started by it.
#pragma once

#include <string_view>

#include "base/duration.h"

namespace timepool::sys {

void notify_ready(std::string_view status);
void notify_status(std::string_view status);
void notify_reloading();
void notify_stopping();
// To be called at least every watchdog_interval() when that is not zero.
void notify_watchdog();
// Half of WatchdogSec=; zero: no watchdog.
Duration watchdog_interval();

}  // namespace timepool::sys
