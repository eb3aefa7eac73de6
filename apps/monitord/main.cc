// timepool-monitord: probes the servers of a pool and reports to its manager.
#include "config/command_line.h"
#include "config/monitord.h"
#include "monitord/monitor.h"

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{"timepool-monitord",
                                "Probes the servers of a pool and reports to its manager.",
                                "/etc/timepool/monitord.toml"};
  const auto start = config::start(program, config::monitord_schema(), argc, argv);
  return start.config ? monitord::run_monitor(*start.config) : start.exit_status;
}
