// timepool ntp security, counters, cyclelogs.
#include <fmt/core.h>

#include <boost/json/array.hpp>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::list_of;
using client::number_of;
using client::object_of;
using client::text_of;

void show_concern(const json::object& concern) {
  print(fmt::format("{} {}: {}", text_of(concern, "half"), text_of(concern, "reason"),
                    text_of(concern, "meaning")));
  if (const std::string last = text_of(concern, "last"); !last.empty()) {
    print(fmt::format("  {} times, last {} from {}", whole(concern, "count"), last,
                      text_of(concern, "address")));
  }
  print("  " + text_of(concern, "action"));
}

// With `all`, also what never happened.
void show_reasons(const json::object& answer, const char* half, bool all) {
  const json::object& reasons = object_of(answer, half);
  Table table({std::string(half) + " dropped", "Count", "Last (UTC)", "From"});
  bool any = false;
  for (const json::key_value_pair& pair : reasons) {
    if (!pair.value().is_object()) continue;
    const json::object& entry = pair.value().get_object();
    if (!all && number_of(entry, "count").value_or(0) == 0) continue;
    any = true;
    const std::string last = text_of(entry, "last");
    table.row({std::string(pair.key()), whole(entry, "count"), last.empty() ? "-" : last,
               last.empty() ? "-" : text_of(entry, "address")});
  }
  if (any) print(table.text());
}

}  // namespace

void show_security(const json::object& answer, bool verbose) {
  const json::array& concerns = list_of(answer, "concerns");
  if (concerns.empty()) print("nothing that looks like an attack or a broken server");
  for (const json::value& value : concerns) {
    if (value.is_object()) show_concern(value.get_object());
  }
  for (const char* half : {"client", "server"}) show_reasons(answer, half, verbose);
}

void show_counters(const json::object& answer, bool) {
  for (const char* half : {"server", "client"}) {
    const json::object& counters = object_of(answer, half);
    if (counters.empty()) continue;
    print(half);
    print_counts(counters, "  ");
  }
}

void show_cyclelogs(const json::object& answer, bool) {
  const json::array& logs = list_of(answer, "logs");
  if (logs.empty()) print("no logs: see [log] of ntpd.toml");
  for (const json::value& value : logs) {
    if (!value.is_object()) continue;
    const json::object& log = value.get_object();
    print(fmt::format("{}: {} lines, {} lost", text_of(log, "path"), whole(log, "written"),
                      whole(log, "lost")));
  }
}

}  // namespace timepool::cli
