// timepool-poold: the manager of a pool of time servers.
#include <cstdio>
#include <cstdlib>

#include "config/command_line.h"
#include "config/poold.h"
#include "poold/daemon.h"
#include "poold/secret_files.h"
#include "sys/log.h"
#include "sys/process.h"

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{
      "timepool-poold", "Manages a pool of time servers: scores, zones, snapshots, API and pages.",
      "/etc/timepool/poold.toml",
      config::Program::Extra{"--print-public-key", "Print the key that verifies its snapshots"}};
  auto start = config::start(program, config::poold_schema(), argc, argv);
  if (!start.config) return start.exit_status;
  sys::Logger logger(program.name);
  if (start.extra) {
    const auto key = poold::load_or_create_key(start.config->publish.key_file);
    if (key.ok()) {
      std::printf("%s\n", crypto::format(key->public_key()).c_str());
      return 0;
    }
    logger.error("{}", key.error().text());
    return 1;
  }
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  auto daemon = poold::Daemon::create(std::move(*start.config), start.config_path, logger);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  (*daemon)->run();
  return 0;
}
