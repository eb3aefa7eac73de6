#include "sys/notify.h"

#include <systemd/sd-daemon.h>

#include <string>

#include "sys/clock.h"

namespace timepool::sys {

void notify_ready(std::string_view status) {
  ::sd_notify(0, ("READY=1\nSTATUS=" + std::string(status)).c_str());
}

void notify_status(std::string_view status) {
  ::sd_notify(0, ("STATUS=" + std::string(status)).c_str());
}

void notify_reloading() {
  // Type=notify-reload wants the monotonic time of the reload.
  const std::string stamp = std::to_string(mono_now().ns() / 1000);
  ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + stamp).c_str());
}

void notify_stopping() {
  ::sd_notify(0, "STOPPING=1");
}

void notify_watchdog() {
  ::sd_notify(0, "WATCHDOG=1");
}

Duration watchdog_interval() {
  std::uint64_t us = 0;
  if (::sd_watchdog_enabled(0, &us) <= 0) return {};
  return Duration::microseconds(static_cast<std::int64_t>(us / 2));
}

}  // namespace timepool::sys
