// timepool ntp: what timepool-ntpd does, by its control socket.
#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <cmath>

#include "cli/commands.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "net/control.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::number_of;
using client::text_of;

struct NtpOptions {
  std::string socket = "/run/timepool/ntpd.sock";
  bool json = false;
};

std::string whole(const json::object& object, const char* key) {
  const auto number = number_of(object, key);
  return number ? fmt::format("{:.0f}", *number) : "-";
}

std::string span(const json::object& object, const char* key, bool with_sign) {
  const auto number = number_of(object, key);
  return number ? seconds_text(*number, with_sign) : "-";
}

// "12s", "17m", "3h", "2d": chronyc's LastRx.
std::string age(const std::optional<double>& seconds) {
  if (!seconds) return "-";
  if (*seconds < 1000) return fmt::format("{:.0f}", *seconds);
  if (*seconds < 60'000) return fmt::format("{:.0f}m", *seconds / 60);
  if (*seconds < 172'800) return fmt::format("{:.0f}h", *seconds / 3600);
  return fmt::format("{:.0f}d", *seconds / 86'400);
}

constexpr const char* kLegend =
    "Mode  ^ server  # pool\n"
    "State * selected  + combined  - left out  x falseticker  ? not usable";

void show_sources(const json::object& answer) {
  const json::array& list = list_of(answer, "sources");
  if (list.empty()) {
    print("no sources: see [[server]] and [[pool]] of ntpd.toml");
    return;
  }
  Table table(
      {"MS", "Name", "Address", "Stratum", "Poll", "Reach", "LastRx", "Offset", "Error", "Status"});
  for (const json::value& value : list) {
    if (!value.is_object()) continue;
    const json::object& source = value.get_object();
    const std::string address = text_of(source, "address");
    table.row({(text_of(source, "kind") == "pool" ? "#" : "^") + text_of(source, "symbol"),
               text_of(source, "source"), address.empty() ? "-" : address, whole(source, "stratum"),
               whole(source, "poll"), text_of(source, "reach_octal"),
               age(number_of(source, "age_s")), span(source, "offset_s", true),
               span(source, "distance_s", false), text_of(source, "status")});
  }
  print(kLegend);
  print(table.text());
}

void show_tracking(const json::object& answer) {
  const bool good = flag_of(answer, "synchronised");
  const auto line = [](const char* name, const std::string& value) {
    print(fmt::format("{:<16}: {}", name, value.empty() ? "-" : value));
  };
  line("Synchronised", good ? "yes" : "no");
  line("Clock", text_of(answer, "clock"));
  line("Server", text_of(answer, "address"));
  line("Reference ID", text_of(answer, "reference_id"));
  line("Stratum", whole(answer, "stratum"));
  line("Updated", text_of(answer, "updated"));
  line("Offset", span(answer, "offset_s", true));
  line("Uncertainty", span(answer, "uncertainty_s", false));
  line("Jitter", span(answer, "jitter_s", false));
  line("Root delay", span(answer, "root_delay_s", false));
  line("Root dispersion", span(answer, "root_dispersion_s", false));
  line("Sources in use", fmt::format("{} (at least {} wanted)", whole(answer, "survivors"),
                                     whole(answer, "min_sources")));
  line("Leap", text_of(answer, "leap"));
}

void show_counters(const json::object& answer) {
  for (const char* half : {"server", "client"}) {
    const json::value* value = answer.if_contains(half);
    if (value == nullptr || !value->is_object()) continue;
    print(half);
    print_counts(value->get_object(), "  ");
  }
}

void add_report(Command& ntp, const std::string& name, const std::string& help,
                void (*show)(const json::object&)) {
  const auto options = std::make_shared<NtpOptions>();
  Command command = ntp.command(name, help);
  command.option("--socket", options->socket, "The daemon's control socket")
      .flag("--json", options->json, "The daemon's JSON instead of text");
  command.action([options, name, show] {
    const auto answer = net::control_request(options->socket, {{"command", name}});
    if (!answer.ok()) return failed(answer.error());
    if (options->json) {
      print_json(*answer);
    } else {
      show(*answer);
    }
    return kOk;
  });
}

}  // namespace

void add_ntp(Command& root) {
  Command ntp = root.command("ntp", "What timepool-ntpd on this machine does");
  ntp.footer(
      "Examples:\n"
      "  timepool ntp sources\n"
      "  timepool ntp tracking --json --socket /run/timepool/ntpd.sock");
  add_report(ntp, "sources", "Every source: reachable or not, its offset, what it is used for",
             show_sources);
  add_report(ntp, "tracking", "What the clock is measured against, and how well", show_tracking);
  add_report(ntp, "counters", "Packets by what became of them", show_counters);
}

}  // namespace timepool::cli
