// timepool: the command line of the whole system.
#include "cli/commands.h"
#include "sys/signal_flag.h"
#include "sys/version.h"

int main(int argc, char** argv) {
  using namespace timepool;
  sys::ignore_sigpipe();
  cli::Program program("timepool", "Runs, asks and measures a pool of time servers",
                       std::string(sys::version()));
  cli::Command root = program.root();
  cli::add_up(root);
  cli::add_query(root);
  cli::add_ntp(root);
  cli::add_dns(root);
  cli::add_pool(root);
  cli::add_bench(root);
  return program.run(argc, argv);
}
