// timepool ntp sourcestats.
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

constexpr const char* kLegend =
    "NP         samples behind the estimate\n"
    "Span       between the first and the last of them: seconds, or m, h, d\n"
    "Frequency  of our clock against the source, ppm: negative is slow\n"
    "Freq Skew  standard deviation of the frequency, ppm\n"
    "Offset     of the source now; positive: it is ahead of us\n"
    "Offset SD  standard deviation of the offset\n"
    "Std Dev    of the samples about the estimate\n"
    "Asym       how much of what a delay has too much is error, -0.5 to 0.5\n";

std::string fixed(const json::object& object, std::string_view key, bool with_sign) {
  const auto number = number_of(object, key);
  if (!number) return "-";
  return with_sign ? fmt::format("{:+.3f}", *number) : fmt::format("{:.3f}", *number);
}

}  // namespace

void show_sourcestats(const json::object& answer, bool verbose) {
  Table table({"Name/IP Address", "NP", "Span", "Frequency", "Freq Skew", "Offset", "Offset SD",
               "Std Dev", "Asym"});
  bool any = false;
  for (const json::value& value : list_of(answer, "sources")) {
    if (!value.is_object()) continue;
    any = true;
    const json::object& source = value.get_object();
    table.row({label_of(source), whole(source, "samples"), age(number_of(source, "span_s")),
               fixed(source, "frequency_ppm", true), fixed(source, "skew_ppm", false),
               span(source, "offset_s", true), span(source, "offset_sd_s", false),
               span(source, "jitter_s", false), fixed(source, "asymmetry", true)});
  }
  if (!any) return print("no source has samples yet");
  if (verbose) print(kLegend);
  print(table.text());
}

}  // namespace timepool::cli
