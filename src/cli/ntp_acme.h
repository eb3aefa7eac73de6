// What the commands of timepool ntp acme share: how the daemon is asked, and awaited.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <thread>

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

// account show, new-key, deactivate.
void add_ntp_acme_account(Command& acme);

}  // namespace timepool::cli
