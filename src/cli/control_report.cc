#include "cli/control_report.h"

#include "cli/commands.h"
#include "cli/print.h"
#include "net/control.h"

namespace timepool::cli {

Command& add_control_access(Command& command, ControlAccess& access, const std::string& who) {
  return command.option("--socket", access.socket, who + " control socket")
      .flag("--json", access.json, who + " JSON instead of text");
}

int report_control(const ControlAccess& access, const boost::json::object& request,
                   const std::function<void(const boost::json::object& answer)>& show,
                   Duration timeout) {
  const auto answer = net::control_request(access.socket, request, timeout);
  if (!answer.ok()) return failed(answer.error());
  if (access.json) {
    print_json(*answer);
  } else {
    show(*answer);
  }
  return kOk;
}

}  // namespace timepool::cli
