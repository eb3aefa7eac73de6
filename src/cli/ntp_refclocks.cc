// timepool ntp refclocks.
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

// Looks that gave something which was not taken.
double refused(const json::object& reasons) {
  double out = 0;
  for (const json::key_value_pair& pair : reasons) {
    if (pair.key() == "accepted" || pair.key() == "nothing_new") continue;
    out += number_of(reasons, pair.key()).value_or(0);
  }
  return out;
}

}  // namespace

void show_refclocks(const json::object& answer, bool verbose) {
  const json::array& list = list_of(answer, "refclocks");
  if (list.empty()) {
    print("no reference clocks: see [[refclock]] of ntpd.toml");
    return;
  }
  Table table({"Name", "Lock", "Polls", "Accepted", "Refused", "Last look", "Driver"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& clock = value.get_object();
    const json::object& reasons = object_of(clock, "reasons");
    const std::string lock = text_of(clock, "lock");
    const std::string failure = text_of(clock, "failure");
    table.row({text_of(clock, "name"), lock.empty() ? "-" : lock, whole(clock, "polls"),
               whole(reasons, "accepted"), fmt::format("{:.0f}", refused(reasons)),
               text_of(clock, "last_reason"), failure.empty() ? "open" : failure});
  }
  print(table.text());
  if (!verbose) return;
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    print(text_of(value.get_object(), "name"));
    print_counts(object_of(value.get_object(), "reasons"), "  ");
  }
}

}  // namespace timepool::cli
