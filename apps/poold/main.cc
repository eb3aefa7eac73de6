// timepool-poold: the manager of a pool of time servers.
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "config/command_line.h"
#include "config/poold.h"
#include "poold/daemon.h"
#include "poold/secret_files.h"
#include "sys/log.h"
#include "sys/process.h"

namespace {

// Takes `--print-public-key` out of the arguments; what is left is every program's.
bool take_print_key(std::vector<const char*>& arguments) {
  return std::erase_if(arguments, [](const char* argument) {
           return std::string_view(argument) == "--print-public-key";
         }) > 0;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace timepool;
  const config::Program program{
      "timepool-poold",
      "Manages a pool of time servers: scores, zones, snapshots, API and pages. "
      "--print-public-key prints the key that verifies its snapshots.",
      "/etc/timepool/poold.toml"};
  std::vector<const char*> arguments(argv, argv + argc);
  const bool print_key = take_print_key(arguments);
  auto start = config::start(program, config::poold_schema(), static_cast<int>(arguments.size()),
                             arguments.data());
  if (!start.config) return start.exit_status;
  sys::Logger logger(program.name);
  if (print_key) {
    const auto key = poold::load_or_create_key(start.config->publish.key_file);
    if (key.ok()) {
      std::printf("%s\n", crypto::format(key->public_key()).c_str());
      return 0;
    }
    logger.error("{}", key.error().text());
    return 1;
  }
  if (std::getenv("TIMEPOOL_DIE_WITH_PARENT") != nullptr) sys::die_with_parent();
  auto daemon = poold::Daemon::create(*start.config, logger);
  if (!daemon.ok()) {
    logger.error("{}", daemon.error().text());
    return 1;
  }
  (*daemon)->run();
  return 0;
}
