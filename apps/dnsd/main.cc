// timepool-dnsd: the DNS server of a pool, aware of where clients are and of servers' weights.
#include <cstdlib>

#include "config/command_line.h"
#include "config/dnsd.h"
#include "dnsd/check_zone.h"
#include "dnsd/daemon.h"
#include "sys/log.h"
#include "sys/process.h"

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{
      "timepool-dnsd",
      "Answers DNS queries for a pool of time servers by place and weight.",
      "/etc/timepool/dnsd.toml",
      config::Program::Extra{"--check-zone", "Check zone files and leave", true},
      "--take-over",
      "Take the place of the daemon that runs at the same control socket, if one does: it hands "
      "over its sockets and leaves"};
  auto start = config::start(program, config::dnsd_schema(), argc, argv);
  if (start.extra) return dnsd::check_zone_files(start.files);
  if (!start.config) return start.exit_status;
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  sys::Logger logger(program.name);
  using Begin = dnsd::Daemon::Begin;
  auto daemon = dnsd::Daemon::create(std::move(*start.config), start.config_path, logger,
                                     start.run_flag ? Begin::kTakeOver : Begin::kAlone);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  (*daemon)->run();
  return 0;
}
