// timepool-ntpd: serves time and observes other servers.
#include <cstdlib>

#include "config/command_line.h"
#include "config/ntpd.h"
#include "ntpd/daemon.h"
#include "sys/log.h"
#include "sys/process.h"

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{"timepool-ntpd", "Serves time by NTP and observes other servers.",
                                "/etc/timepool/ntpd.toml"};
  auto start = config::start(program, config::ntpd_schema(), argc, argv);
  if (!start.config) return start.exit_status;
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  sys::Logger logger(program.name);
  auto daemon = ntpd::Daemon::create(std::move(*start.config), start.config_path, logger);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  (*daemon)->run();
  return 0;
}
