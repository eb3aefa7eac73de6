// timepool up: a whole pool on this machine.
#include "up/up.h"

#include "cli/commands.h"

namespace timepool::cli {

void add_up(Command& root) {
  const auto options = std::make_shared<up::UpOptions>();
  Command command = root.command("up", "Run a whole pool on this machine");
  command
      .option("--dir", options->directory,
              "Where it keeps its files; a second run there goes on with servers and scores "
              "(default: a temporary directory, removed at the end)")
      .option("--http", options->http, 8080,
              "The manager's API and pages (default 127.0.0.1:8080; port 0 takes a free one)")
      .option("--dns", options->dns, 5300, "The pool's DNS (default 127.0.0.1:5300)")
      .option("--ntp-port", options->ntp_port, 0, 65535,
              "The port of all time servers, each on its own loopback address (default 11123)")
      .option("--servers", options->servers, up::Plan::kMinServers, up::Plan::kMaxServers,
              "Good servers on IPv4")
      .option("--exit-after", options->exit_after, "End after this, with a summary")
      .option("--geoip", options->geoip, "A MaxMind DB file with countries")
      .option("--pebble", options->pebble,
              "The program of the test authority for certificates (default: pebble in PATH; "
              "without it there is no NTS)")
      .flag("--no-nts", options->no_nts, "No names, certificates and signed SRV records")
      .flag("--json", options->json, "One JSON object a line instead of a table")
      .footer(
          "Starts timepool-poold, two timepool-monitord, timepool-dnsd, good timepool-ntpd\n"
          "servers, one that lies by 400 ms, an address where nothing answers, and a client\n"
          "that finds its sources by the pool's name. Three servers have names, for which they\n"
          "get certificates from pebble, and stand in signed SRV records; a second client\n"
          "follows these and asks them under NTS. Needs no root; Ctrl-C ends all of it.\n\n"
          "Examples:\n"
          "  timepool up\n"
          "  timepool up --dir ~/pool --servers 12\n"
          "  timepool up --exit-after 60s --json");
  command.action([options] { return up::run_up(*options); });
}

}  // namespace timepool::cli
