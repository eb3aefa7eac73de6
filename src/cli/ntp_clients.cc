// timepool ntp clients.
#include <boost/json/array.hpp>

#include "cli/commands.h"
#include "cli/control_report.h"
#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::list_of;
using client::number_of;
using client::text_of;

constexpr const char* kLegend =
    "Requests  since it is remembered\n"
    "Drop      of them over a limit\n"
    "V M       version and mode of the last one\n"
    "Interval  between two requests, on average\n"
    "Last      since the last request: seconds, or m, h, d\n";

struct ClientsOptions {
  ControlAccess access{"/run/timepool/ntpd.sock"};
  bool verbose = false;
  int count = 20;
};

void show_clients(const json::object& answer, bool verbose) {
  Table table({"Address", "Requests", "Drop", "V", "M", "Interval", "Last"});
  bool any = false;
  for (const json::value& value : list_of(answer, "clients")) {
    if (!value.is_object()) continue;
    any = true;
    const json::object& it = value.get_object();
    table.row({text_of(it, "address"), whole(it, "requests"), whole(it, "dropped"),
               whole(it, "version"), whole(it, "mode"), span(it, "interval_s", false),
               age(number_of(it, "age_s"))});
  }
  if (!any) return print("nobody has asked yet");
  if (verbose) print(kLegend);
  print(table.text());
  print(whole(answer, "remembered") + " of " + whole(answer, "places") + " places taken");
}

int run_clients(const ClientsOptions& options) {
  const json::object request{{"command", "clients"}, {"count", options.count}};
  return report_control(options.access, request,
                        [&](const json::object& answer) { show_clients(answer, options.verbose); });
}

}  // namespace

void add_ntp_clients(Command& ntp) {
  const auto options = std::make_shared<ClientsOptions>();
  Command command = ntp.command("clients", "Who asks this machine's server most");
  add_control_access(command, options->access, "The daemon's")
      .flag("-v,--verbose", options->verbose, "With a legend")
      .option("-n,--count", options->count, 1, 1000, "How many at the most")
      .action([options] { return run_clients(*options); });
}

}  // namespace timepool::cli
