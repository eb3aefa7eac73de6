// timepool-dnsd: the DNS server of a pool, aware of where clients are and of servers' weights.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "config/command_line.h"
#include "config/dnsd.h"
#include "dnsd/check_zone.h"
#include "dnsd/daemon.h"
#include "sys/log.h"
#include "sys/process.h"

int main(int argc, char** argv) {
  using namespace timepool;
  if (argc >= 2 && std::string_view(argv[1]) == "--check-zone") {
    if (argc == 2) {
      std::fprintf(stderr, "timepool-dnsd: --check-zone needs at least one file\n");
      return 2;
    }
    return dnsd::check_zone_files({argv + 2, argv + argc});
  }
  const config::Program program{
      "timepool-dnsd",
      "Answers DNS queries for a pool of time servers by place and weight. "
      "--check-zone FILE... checks zone files.",
      "/etc/timepool/dnsd.toml"};
  auto start = config::start(program, config::dnsd_schema(), argc, argv);
  if (!start.config) return start.exit_status;
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  sys::Logger logger(program.name);
  auto daemon = dnsd::Daemon::create(std::move(*start.config), start.config_path, logger);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  (*daemon)->run();
  return 0;
}
