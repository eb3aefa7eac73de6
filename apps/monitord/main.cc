// timepool-monitord: probes the servers of a pool and reports to its manager.
#include <cstdlib>

#include "config/command_line.h"
#include "config/monitord.h"
#include "monitord/monitor.h"
#include "sys/process.h"

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{"timepool-monitord",
                                "Probes the servers of a pool and reports to its manager.",
                                "/etc/timepool/monitord.toml"};
  const auto start = config::start(program, config::monitord_schema(), argc, argv);
  if (!start.config) return start.exit_status;
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  return monitord::run_monitor(*start.config, start.config_path);
}
