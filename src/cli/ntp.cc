// timepool ntp: what timepool-ntpd does, by its control socket.
#include "cli/commands.h"
#include "cli/control_report.h"
#include "cli/ntp_show.h"
#include "cli/print.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

// Whether a command is about one source.
enum class Source { kNone, kOptional, kRequired };

struct NtpOptions {
  ControlAccess access{"/run/timepool/ntpd.sock"};
  bool verbose = false;
  std::optional<std::string> source;
};

using Show = void (*)(const json::object& answer, bool verbose);

void add_report(Command& ntp, const std::string& name, const std::string& help, Show show,
                Source source = Source::kNone) {
  const auto options = std::make_shared<NtpOptions>();
  Command command = ntp.command(name, help);
  add_control_access(command, options->access, "The daemon's")
      .flag("-v,--verbose", options->verbose, "With a legend, or in full");
  if (source != Source::kNone) {
    command.positional("source", options->source, "Its address or configured name");
    if (source == Source::kRequired) command.require("source");
  }
  command.action([options, name, show] {
    json::object request{{"command", name}};
    if (options->source) request["source"] = *options->source;
    return report_control(options->access, request,
                          [&](const json::object& answer) { show(answer, options->verbose); });
  });
}

}  // namespace

void add_ntp(Command& root) {
  Command ntp = root.command("ntp", "What timepool-ntpd on this machine does");
  ntp.footer(
      "Examples:\n"
      "  timepool ntp sources -v\n"
      "  timepool ntp tracking --json --socket /run/timepool/ntpd.sock");
  add_report(ntp, "sources", "Every source: reachable or not, its offset, what it is used for",
             show_sources);
  add_report(ntp, "authentication", "How each source's packets are proved, by which keys",
             show_authentication);
  add_report(ntp, "tracking", "What the clock is measured against, and how well", show_tracking);
  add_report(ntp, "sourcestats", "What the samples of each source, or of one, say together",
             show_sourcestats, Source::kOptional);
  add_report(ntp, "selectdata", "Why each source, or one, is used or not, in short",
             show_selectdata, Source::kOptional);
  add_report(ntp, "ntpdata", "Packets and the last answer of each server, or of one", show_ntpdata,
             Source::kOptional);
  add_report(ntp, "explain", "Why a source is used or not, and what happens next", show_explain,
             Source::kRequired);
  add_report(ntp, "refclocks", "The drivers of the reference clocks, and what became of readings",
             show_refclocks);
  add_report(ntp, "activity", "How many sources there are to ask", show_activity);
  add_report(ntp, "security", "What was rejected, from whom, and what to do about it",
             show_security);
  add_report(ntp, "counters", "Packets by what became of them", show_counters);
  add_report(ntp, "cyclelogs", "Open the measurement logs anew, after they were moved away",
             show_cyclelogs);
  add_report(ntp, "accept-step", "Correct the clock now, whatever the rules say", show_accepted);
  add_ntp_clients(ntp);
  add_ntp_control(ntp);
  add_ntp_acme(ntp);
  add_ntp_keygen(ntp);
  add_ntp_cookie_seed(ntp);
}

}  // namespace timepool::cli
