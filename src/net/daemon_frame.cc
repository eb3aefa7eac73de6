#include "net/daemon_frame.h"

#include <boost/json/value.hpp>
#include <csignal>
#include <utility>

#include "sys/clock.h"
#include "sys/file.h"
#include "sys/notify.h"
#include "sys/signal_flag.h"

namespace timepool::net {

Result<void> catch_daemon_signals(Reactor& reactor, sys::Logger& logger,
                                  std::function<Result<boost::json::object>()> reload,
                                  std::string kept) {
  sys::ignore_sigpipe();
  for (const int signal : {SIGTERM, SIGINT}) {
    TRY(reactor.on_signal(signal, [&reactor] { reactor.stop(); }));
  }
  return reactor.on_signal(SIGHUP, [&logger, reload = std::move(reload), kept = std::move(kept)] {
    if (const auto result = reload(); !result.ok()) {
      logger.error("{}; {}", result.error().text(), kept);
    }
  });
}

boost::json::array tell_restarts(boost::json::array changed,
                                 const std::vector<std::string>& missing, sys::Logger& logger) {
  for (const boost::json::value& setting : changed) {
    logger.warning("{} changed: that needs a restart", setting.get_string().c_str());
  }
  for (const std::string& text : missing) {
    logger.warning("{}: that needs a restart", text);
    changed.emplace_back(text);
  }
  return changed;
}

Result<std::unique_ptr<ControlServer>> open_control(Reactor& reactor, const std::string& path,
                                                    sys::Fd listener) {
  if (path.empty()) return std::unique_ptr<ControlServer>();
  ControlOptions options;
  options.path = path;
  const Result<void> made = sys::make_directories(sys::directory_of(path));
  if (!made.ok()) {
    Error error = made.error();
    error.operation = options.setting + ": " + error.operation;
    return fail(std::move(error));
  }
  return ControlServer::create(reactor, std::move(options), std::move(listener));
}

void Watchdog::start() {
  const Duration interval = sys::watchdog_interval();
  if (interval == Duration()) return;
  sys::notify_watchdog();
  timer_ = reactor_.at(sys::mono_now() + interval, [this] { start(); });
}

}  // namespace timepool::net
