// What every daemon on the reactor does beside its own work: signals, its control socket, systemd's
// watchdog. Main thread only.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/control.h"
#include "net/reactor.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::net {

// SIGTERM and SIGINT end the reactor; SIGHUP calls `reload`, of which an error is logged with
// `kept` behind it, what goes on as before. SIGPIPE is ignored.
Result<void> catch_daemon_signals(Reactor& reactor, sys::Logger& logger,
                                  std::function<Result<boost::json::object>()> reload,
                                  std::string kept);

// Tells the operator of settings that changed and stay as they were, and of `missing`, what of its
// rights the daemon has given up (sys::given_up). Returns all of them, for the answer to "reload".
boost::json::array tell_restarts(boost::json::array changed,
                                 const std::vector<std::string>& missing, sys::Logger& logger);

// Listens at `path`, of which the directory is made; null when it is empty. `listener`: one of the
// process before (ControlServer::create). Before threads start: the file's mode is set by the
// process's mask. Errors name [control] socket.
Result<std::unique_ptr<ControlServer>> open_control(Reactor& reactor, const std::string& path,
                                                    sys::Fd listener = {});

// Tells systemd that the loop runs, as often as it wants to know; nothing where it does not.
class Watchdog {
 public:
  explicit Watchdog(Reactor& reactor) : reactor_(reactor) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  void start();

 private:
  Reactor& reactor_;
  Timer timer_;
};

}  // namespace timepool::net
