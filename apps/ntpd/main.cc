// timepool-ntpd: keeps the clock at the time of other servers, and serves it.
#include <cstdlib>

#include "config/command_line.h"
#include "config/ntpd.h"
#include "ntpd/daemon.h"
#include "ntpd/one_shot.h"
#include "sys/log.h"
#include "sys/process.h"
#include "sys/resident.h"

int main(int argc, char** argv) {
  using namespace timepool;
  sys::bind_symbols_at_start(argv);
  // What the dynamic linker read.
  sys::release_startup_pages();
  sys::return_large_blocks();
  const config::Program program{
      "timepool-ntpd",
      "Keeps the clock at the time of NTP servers, and serves it.",
      "/etc/timepool/ntpd.toml",
      config::Program::Extra{"--once", "Measure, correct the clock once, and leave", false,
                             "--print", "With --once: print the offset, touch nothing"},
      "--take-over",
      "Take the place of the daemon that runs at the same control socket, if one does: it hands "
      "over "
      "its sockets and leaves"};
  auto start = config::start(program, config::ntpd_schema(), argc, argv);
  if (!start.config) return start.exit_status;
  sys::release_startup_pages();
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  sys::Logger logger(program.name);
  if (start.extra) {
    return ntpd::run_once(std::move(*start.config),
                          start.modified ? ntpd::OneShot::kPrint : ntpd::OneShot::kCorrect, logger);
  }
  using Begin = ntpd::Daemon::Begin;
  auto daemon = ntpd::Daemon::create(std::move(*start.config), start.config_path, logger,
                                     start.run_flag ? Begin::kTakeOver : Begin::kAlone);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  sys::release_startup_pages();
  sys::release_startup_heap();
  (*daemon)->run();
  return 0;
}
