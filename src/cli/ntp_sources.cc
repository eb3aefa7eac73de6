// timepool ntp sources, activity.
#include <fmt/core.h>

#include <boost/json/array.hpp>

#include "cli/ntp_show.h"
#include "cli/nts_records.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::list_of;
using client::number_of;
using client::text_of;

constexpr const char* kLegend =
    "M            ^ server  = peer  > broadcasts  # reference clock\n"
    "S            * selected  + combined  - left out  x falseticker  ~ too variable\n"
    "             m smeared around a leap second  ? not usable; explain tells more\n"
    "Poll         seconds between two requests, as a power of two\n"
    "Reach        the last eight requests in octal, the newest lowest: 377 is all answered\n"
    "LastRx       seconds since the last sample, or minutes m, hours h, days d\n"
    "Last sample  offset now[as measured] +/- error bound; positive: the source is ahead of us\n"
    "Auth         nts, key, or - for packets that nothing proves; authentication tells more\n"
    "Source       the name that the address is from\n";

const char* mode_of(const json::object& source) {
  const std::string kind = text_of(source, "kind");
  if (kind == "refclock") return "#";
  if (kind == "broadcast") return ">";
  return kind == "peer" ? "=" : "^";
}

std::string last_sample(const json::object& source) {
  const auto now = number_of(source, "offset_s");
  if (!now) return "-";
  const auto measured = number_of(source, "last_offset_s");
  return fmt::format("{:>7}[{:>7}] +/- {:>6}", seconds_text(*now, true),
                     seconds_text(measured.value_or(*now), true),
                     span(source, "distance_s", false));
}

// The configured name, where it is not the address itself.
std::string source_of(const json::object& source) {
  const std::string name = text_of(source, "source");
  return text_of(source, "address").starts_with(name) ? "" : name;
}

std::string state_of(const json::object& target) {
  const std::string state = text_of(target, "state");
  if (state != "dropped") return state;
  return state + ": " + text_of(target, "dropped");
}

// Pools by SRV records: what DNS said, and what became of each server that it named.
void show_pools(const json::array& pools) {
  for (const json::value& value : pools) {
    if (!value.is_object()) continue;
    const json::object& pool = value.get_object();
    std::string line = text_of(pool, "service") + ": ";
    line += text_of(pool, "verdict").empty() ? "not looked up yet" : text_of(pool, "verdict");
    if (!text_of(pool, "trust").empty()) line += ", " + text_of(pool, "trust");
    if (!text_of(pool, "why").empty()) line += ", " + printable(text_of(pool, "why"));
    print("\n" + line);
    for (const json::value& it : list_of(pool, "refused")) {
      if (!it.is_object()) continue;
      const json::object& refused = it.get_object();
      print("refused: " + printable(text_of(refused, "target")) + ": " + text_of(refused, "fault"));
    }
    if (list_of(pool, "targets").empty()) continue;
    Table table({"Server", "Port", "Priority", "Weight", "State"});
    for (const json::value& it : list_of(pool, "targets")) {
      if (!it.is_object()) continue;
      const json::object& target = it.get_object();
      table.row({text_of(target, "target"), whole(target, "port"), whole(target, "priority"),
                 whole(target, "weight"), state_of(target)});
    }
    print(table.text());
  }
}

}  // namespace

void show_sources(const json::object& answer, bool verbose) {
  const json::array& list = list_of(answer, "sources");
  if (list.empty()) {
    print("no sources: see [[server]] and [[pool]] of ntpd.toml");
    return;
  }
  Table table({"MS", "Name/IP address", "Stratum", "Poll", "Reach", "LastRx", "Last sample", "Auth",
               "Source", "Status"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& source = value.get_object();
    table.row({mode_of(source) + text_of(source, "symbol"), label_of(source),
               whole(source, "stratum"), whole(source, "poll"), text_of(source, "reach_octal"),
               age(number_of(source, "age_s")), last_sample(source), authentication_of(source),
               source_of(source), text_of(source, "status")});
  }
  if (verbose) print(kLegend);
  print(table.text());
  show_pools(list_of(answer, "pools"));
}

void show_activity(const json::object& answer, bool) {
  print(whole(answer, "online") + " sources online");
  print(whole(answer, "offline") + " sources offline");
  print(whole(answer, "in_burst") + " sources doing a burst");
  print(whole(answer, "unresolved") + " sources with unknown address");
}

}  // namespace timepool::cli
