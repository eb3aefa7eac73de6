// Commands that show what a daemon on this machine says at its control socket.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>

#include "base/time.h"
#include "cli/args.h"

namespace timepool::cli {

// What every such command has: --socket and --json.
struct ControlAccess {
  std::string socket;
  bool json = false;
};
// `who` in the help: "The daemon's". Returns `command`.
Command& add_control_access(Command& command, ControlAccess& access, const std::string& who);

// Asks and shows the answer, or prints it as it is where --json says so. Returns the exit status.
int report_control(const ControlAccess& access, const boost::json::object& request,
                   const std::function<void(const boost::json::object& answer)>& show,
                   Duration timeout = Duration::seconds(5));

}  // namespace timepool::cli
