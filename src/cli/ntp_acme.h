// What the commands of timepool ntp acme share: how the daemon is asked, and awaited.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

#include "base/result.h"
#include "cli/args.h"
#include "cli/control_report.h"
#include "client/json_fields.h"
#include "net/control.h"
#include "sys/clock.h"

namespace timepool::cli {

struct AcmeOptions {
  ControlAccess access{"/run/timepool/ntpd.sock"};
  bool no_wait = false;
  Duration wait = Duration::seconds(300);
};

inline Result<boost::json::object> ask_acme(const AcmeOptions& options, std::string_view command) {
  return net::control_request(options.access.socket, {{"command", command}});
}

inline double count_of(const boost::json::object& answer, std::string_view key) {
  return client::number_of(answer, key).value_or(0);
}

// Asks `command` until `done(answer)`, or as long as it may take.
template <class Done>
Result<boost::json::object> await_acme(const AcmeOptions& options, std::string_view command,
                                       Done done) {
  // How often it is looked whether the daemon is done.
  constexpr std::chrono::milliseconds kLook{200};
  const MonoTime until = sys::mono_now() + options.wait;
  for (;;) {
    auto answer = ask_acme(options, command);
    if (!answer.ok() || done(*answer)) return answer;
    if (sys::mono_now() >= until) {
      return fail(Error{ErrorCode::kUnavailable, "acme",
                        "it is not done yet: timepool ntp acme status shows what becomes of it"});
    }
    std::this_thread::sleep_for(kLook);
  }
}

// Sends `request`, and awaits that one more is done of what `member` of `report`'s answer counts:
// the report then, or the answer to the request where it is not to be waited. How many were done is
// looked at before: it may be done before the daemon's answer is made.
inline Result<boost::json::object> do_acme(const AcmeOptions& options, std::string_view report,
                                           boost::json::object request, std::string_view member) {
  const boost::json::object before = TRY(ask_acme(options, report));
  auto begun = net::control_request(options.access.socket, std::move(request));
  if (!begun.ok() || options.no_wait) return begun;
  const double done_before = count_of(client::object_of(before, member), "done");
  return await_acme(options, report, [&](const boost::json::object& now) {
    const boost::json::object& counted = client::object_of(now, member);
    return !client::flag_of(counted, "running") && count_of(counted, "done") > done_before;
  });
}

inline void add_access(Command& command, AcmeOptions& options) {
  add_control_access(command, options.access, "The daemon's");
}
inline void add_waiting(Command& command, AcmeOptions& options) {
  command.option("--wait", options.wait, "How long to wait for it (5m)")
      .flag("--no-wait", options.no_wait, "Only ask for it");
}

// account show, new-key, deactivate.
void add_ntp_acme_account(Command& acme);

}  // namespace timepool::cli
