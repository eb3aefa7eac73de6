// timepool ntp selectdata.
#include <fmt/core.h>

#include <boost/json/array.hpp>

#include "cli/ntp_show.h"
#include "cli/print.h"
#include "client/json_fields.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::text_of;

constexpr const char* kLegend =
    "S         * selected  + combined; the other letters are told at the end of each line\n"
    "Auth      whether its packets are authenticated\n"
    "COpts     options as configured: N noselect, P prefer, T trust, R require\n"
    "EOpts     options in effect: with what the policy about authentication adds\n"
    "Last      seconds since the last sample, or m, h, d\n"
    "Score     against the selected one: above 10 it takes its place\n"
    "Interval  between these it claims the true offset to lie\n"
    "Leap      N none, + a second is inserted, - deleted, ? not synchronised\n";

// chronyc's four places.
std::string options(const json::object& source, std::string_view key) {
  std::string out = "----";
  constexpr std::string_view kNames[] = {"noselect", "prefer", "trust", "require"};
  constexpr char kLetters[] = {'N', 'P', 'T', 'R'};
  for (const json::value& value : list_of(source, key)) {
    if (!value.is_string()) continue;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (std::string_view(value.get_string()) == kNames[i]) out[i] = kLetters[i];
    }
  }
  return out;
}

std::string leap_letter(const std::string& leap) {
  if (leap.empty()) return "-";
  return leap == "none" ? "N" : leap == "insert" ? "+" : leap == "delete" ? "-" : "?";
}

}  // namespace

void show_selectdata(const json::object& answer, bool verbose) {
  Table table({"S", "Name/IP Address", "Auth", "COpts", "EOpts", "Last", "Score", "Low", "High",
               "Leap", "Cause"});
  bool any = false;
  for (const json::value& value : list_of(answer, "sources")) {
    if (!value.is_object()) continue;
    any = true;
    const json::object& source = value.get_object();
    table.row({text_of(source, "state"), label_of(source),
               flag_of(source, "authenticated") ? "Y" : "N", options(source, "configured"),
               options(source, "effective"), age(number_of(source, "age_s")),
               fmt::format("{:.1f}", number_of(source, "score").value_or(0)),
               span(source, "low_s", true), span(source, "high_s", true),
               leap_letter(text_of(source, "leap")), text_of(source, "cause")});
  }
  if (!any) return print("no sources: see [[server]] and [[pool]] of ntpd.toml");
  if (verbose) print(kLegend);
  print(table.text());
}

}  // namespace timepool::cli
