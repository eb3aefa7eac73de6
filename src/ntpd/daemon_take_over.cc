// How the daemon takes over from the process before, and hands over to the one after it.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <utility>

#include "ntpd/daemon.h"
#include "ntpd/handed_state.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/user.h"

namespace timepool::ntpd {
namespace json = boost::json;
Result<void> Daemon::inherit_sockets(Begin begin) {
  kept_sockets_.take(inherited_, logger_);
  if (begin == Begin::kAlone) return {};
  const std::string& path = config_.control.socket;
  if (path.empty()) {
    return fail(Error{ErrorCode::kInvalid, "[control] socket",
                      "it is empty, and that is where the running daemon would be asked"});
  }
  predecessor_ = TRY(net::TakeOver::begin(path, inherited_));
  if (!predecessor_) {
    logger_.info("nobody to take over from at {}", path);
    return {};
  }
  kept_sockets_.note_kept(inherited_.size());
  logger_.info("taking over from process {} (version {})", predecessor_->process(),
               predecessor_->version());
  return note_owners();
}

// Who has given up its rights can give nothing back: a failure after that must find the sockets and
// the control socket's file at the user that they were at.
Result<void> Daemon::note_owners() {
  uid_t user = ::geteuid();
  if (!config_.sandbox.user.empty()) {
    const Result<sys::Account> found = sys::account_of(config_.sandbox.user);
    if (!found.ok()) {
      Error error = found.error();
      error.operation = "[sandbox] user: " + error.operation;
      return fail(std::move(error));
    }
    user = found->user;
  }
  TRY(owners_.note(inherited_.descriptors()));
  int before = owners_.other_than(user);
  struct stat file{};
  if (inherited_.empty() && ::stat(config_.control.socket.c_str(), &file) == 0 &&
      file.st_uid != user) {
    before = static_cast<int>(file.st_uid);
  }
  if (before < 0) return {};
  return fail(Error{ErrorCode::kInvalid, "[sandbox] user",
                    "the running daemon's sockets belong to user " + std::to_string(before) +
                        " and this one would be user " + std::to_string(user) +
                        ", who could not give them back: end that one and start this instead"});
}

Result<void> Daemon::take_state() {
  if (!predecessor_) return {};
  const json::object state = TRY(predecessor_->release());
  const json::value* served = state.if_contains("served");
  if (!server_ || served == nullptr || !served->is_object()) return {};
  // Whoever does not keep the clock can't vouch for it.
  if (config_.clock != config::ClockControl::kSteer) return {};
  if (const auto parsed = parse_handed_state(served->get_object())) server_->hold(*parsed);
  return {};
}

void Daemon::offer_hand_over() {
  net::HandOverSteps steps;
  steps.descriptors = [this] { return served_descriptors(); };
  steps.release = [this] { return release(); };
  steps.stop = [this] {
    if (server_) server_->stop();
    if (key_server_) key_server_->stop();
  };
  steps.resume = [this] {
    sys::notify_main_pid(::getpid());
    resume();
  };
  steps.announce = [](pid_t successor) { sys::notify_main_pid(successor); };
  steps.leave = [this](pid_t) {
    left_ = true;
    reactor_.stop();
  };
  hand_over_ = std::make_unique<net::HandOver>(reactor_, *control_, logger_, std::move(steps));
}

json::object Daemon::release() {
  json::object out;
  released_ = true;
  if (client_) {
    const auto served = client_->keeper().server_state(sys::mono_now());
    if (served) out["served"] = handed_state(*served);
    if (served && server_) server_->hold(*served);
    log_tracking();
    leap_ = client_->leap();
  }
  source_files_timer_.cancel();
  // The clock is left at its base rate, its frequency and the time saved.
  client_.reset();
  broadcaster_.reset();
  log_.reset();
  metrics_.reset();
  return out;
}

void Daemon::resume() {
  released_ = false;
  const auto tell = [this](const Result<void>& done) {
    if (!done.ok()) logger_.error("{}", done.error().text());
  };
  if (server_ && !server_->serving()) tell(server_->begin());
  if (key_server_ && !key_server_->serving()) tell(key_server_->begin());
  start_log();
  tell(start_broadcaster());
  tell(start_client());
  watch_source_files();
  tell(start_metrics());
}

// So that a restart by systemd loses nothing: what comes between the end of this process and the
// next one waits in the sockets.
void Daemon::keep_descriptors() {
  kept_sockets_.keep(served_descriptors());
}

}  // namespace timepool::ntpd
