// timepool ntp acme status, renew, check: the certificate that timepool-ntpd gets by ACME.
#include "cli/ntp_acme.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/ntp_show.h"
#include "cli/print.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;
using client::flag_of;
using client::list_of;
using client::object_of;
using client::text_of;

std::string joined(const json::array& texts) {
  std::string out;
  for (const json::value& it : texts) {
    if (it.is_string()) out += (out.empty() ? "" : ", ") + std::string(it.get_string());
  }
  return out;
}

// What is done, or awaited, in words.
std::string state_of(const json::object& answer) {
  if (const std::string fault = text_of(answer, "fault"); !fault.empty()) return fault;
  if (const std::string busy = text_of(answer, "busy"); !busy.empty()) return busy;
  const std::string step = text_of(answer, "step");
  if (step == "wait_for_clock") return "waits until the clock is known to be right";
  if (step == "stopped") return "not begun";
  return "waits until " + text_of(answer, "at");
}

std::string served_by(const json::object& challenges) {
  const std::string how = text_of(challenges, "how");
  if (how != "listen") return fmt::format("{} {}", how, text_of(challenges, how));
  const std::string http = joined(list_of(challenges, "http"));
  const std::string tls = joined(list_of(challenges, "tls"));
  return http + (http.empty() || tls.empty() ? "" : ", ") + tls;
}

void show_certificate(const json::object& answer) {
  const json::object& certificate = object_of(answer, "certificate");
  if (certificate.empty()) return print_line("Certificate", "there is none yet");
  print_line("Certificate", text_of(certificate, "file"));
  print_line("For", joined(list_of(certificate, "names")));
  print_line("From", text_of(certificate, "authority"));
  print_line("Valid since", text_of(certificate, "not_before"));
  print_line("Valid until",
             text_of(certificate, "not_after") + (flag_of(answer, "expiring") ? " (soon)" : ""));
  const json::object& renewal = object_of(answer, "renewal");
  print_line("Renewal", renewal.empty() ? text_of(certificate, "renew_at")
                                        : text_of(renewal, "at") + ", as the authority wants it");
}

void show_authority(const json::object& authority) {
  print_line("Authority", text_of(authority, "directory"));
  print_line("  account", text_of(authority, "account"));
  const json::object& failure = object_of(authority, "last_failure");
  if (failure.empty()) return;
  print_line("  failed", fmt::format("{} times in a row, last at {}", whole(authority, "failures"),
                                     text_of(failure, "at")));
  print_line("  because",
             fmt::format("{} ({})", text_of(failure, "text"), text_of(failure, "kind")));
  print_line("  next try", text_of(authority, "next_try"));
}

void show_status(const json::object& answer) {
  const json::object& challenges = object_of(answer, "challenges");
  print_line("Name", joined(list_of(answer, "names")));
  print_line("State", state_of(answer));
  show_certificate(answer);
  print_line("Obtained", fmt::format("{} since the start, {} attempts failed",
                                     whole(answer, "obtained"), whole(answer, "failed")));
  print_line("Challenges",
             fmt::format("{} by {}", joined(list_of(challenges, "types")), served_by(challenges)));
  for (const json::value& it : list_of(answer, "authorities")) {
    if (it.is_object()) show_authority(it.get_object());
  }
}

int show(const AcmeOptions& options, const Result<json::object>& answer) {
  if (!answer.ok()) return failed(answer.error());
  if (options.access.json) {
    print_json(*answer);
  } else {
    show_status(*answer);
  }
  return kOk;
}

int run_status(const AcmeOptions& options) {
  return report_control(options.access, {{"command", "acme"}}, show_status);
}

// How far it was is looked at before: it may be done before the daemon's answer is made.
int run_renew(const AcmeOptions& options) {
  const auto before = ask_acme(options, "acme");
  const auto begun = net::control_request(options.access.socket, {{"command", "acme-renew"}});
  if (!before.ok() || !begun.ok() || options.no_wait) return show(options, begun);
  const auto answer = await_acme(options, "acme", [&](const json::object& now) {
    return count_of(now, "obtained") > count_of(*before, "obtained") ||
           count_of(now, "failed") > count_of(*before, "failed");
  });
  const int shown = show(options, answer);
  if (shown != kOk) return shown;
  return count_of(*answer, "obtained") > count_of(*before, "obtained")
             ? kOk
             : failed("no certificate was obtained; the one before is shown on");
}

// What an authority would see, a line for each name and way; it is failed when one is not as it
// must be.
int show_seen(const AcmeOptions& options, const json::object& answer) {
  const json::object& check = object_of(answer, "check");
  if (options.access.json) print_json(check);
  const std::string fault = text_of(check, "fault");
  bool good = fault.empty();
  for (const json::value& it : list_of(check, "seen")) {
    if (!it.is_object()) continue;
    const json::object& seen = it.get_object();
    good = good && text_of(seen, "seen") == "proof";
    if (!options.access.json)
      print(fmt::format("{} by {}: {}", text_of(seen, "name"), text_of(seen, "challenge"),
                        text_of(seen, "text")));
  }
  if (!fault.empty()) return failed(fault);
  return good ? kOk : failed("an authority would not issue a certificate");
}

int run_check(const AcmeOptions& options) {
  const auto answer = do_acme(options, "acme", {{"command", "acme-check"}}, "check");
  if (!answer.ok()) return failed(answer.error());
  return show_seen(options, *answer);
}

std::shared_ptr<AcmeOptions> add(Command& command) {
  const auto options = std::make_shared<AcmeOptions>();
  add_access(command, *options);
  return options;
}

}  // namespace

void add_ntp_acme(Command& ntp) {
  Command acme = ntp.command("acme", "The certificate that timepool-ntpd gets by ACME");
  Command status = acme.command("status", "What there is, what failed, and what comes next");
  const auto for_status = add(status);
  status.action([for_status] { return run_status(*for_status); });

  Command renew = acme.command("renew", "Get another certificate now");
  renew.footer(
      "Our own waits after failures don't hold it up, an authority's wish does. Exit status 1\n"
      "when it failed; the certificate of before stays in use then.");
  const auto for_renew = add(renew);
  add_waiting(renew, *for_renew);
  renew.action([for_renew] { return run_renew(*for_renew); });

  Command check = acme.command("check", "See what an authority would see of a challenge");
  check.footer(
      "The daemon puts up challenges of its own and looks at them by name, on port 80 (http-01)\n"
      "and port 443 (tls-alpn-01), as an authority would; none is asked. From here neither other\n"
      "networks' firewalls are seen nor what other resolvers answer. Exit status 1 when one was\n"
      "not seen as it must be.");
  const auto for_check = add(check);
  check.option("--wait", for_check->wait, "How long to wait for it (5m)");
  check.action([for_check] { return run_check(*for_check); });

  add_ntp_acme_account(acme);
}

}  // namespace timepool::cli
