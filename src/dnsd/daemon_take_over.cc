// How the daemon takes over from the process before, and hands over to the one after it.
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <string>
#include <utility>

#include "dnsd/daemon.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/user.h"

namespace timepool::dnsd {
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

// Who has given up its rights can give nothing back: a failure after that must find the control
// socket's file at the user that it was at.
Result<void> Daemon::note_owners() {
  TRY(owners_.note(inherited_.descriptors()));
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
  struct stat file{};
  if (::stat(config_.control.socket.c_str(), &file) != 0 || file.st_uid == user) return {};
  return fail(Error{ErrorCode::kInvalid, "[sandbox] user",
                    "the running daemon's control socket belongs to user " +
                        std::to_string(file.st_uid) + " and this one would be user " +
                        std::to_string(user) +
                        ", who could not give it back: end that one and start this instead"});
}

Result<void> Daemon::await_snapshot() {
  if (!predecessor_ || config_.snapshot.urls.empty() || held_) return {};
  start_puller();
  const MonoTime until = sys::mono_now() + kFirstSnapshotWait;
  while (puller_->status().serial == 0) {
    if (sys::mono_now() >= until) {
      const std::string why = puller_->status().last_error;
      return fail(Error{ErrorCode::kUnavailable, "[snapshot]",
                        "none came in time, and none is kept: the one that runs knows more" +
                            (why.empty() ? "" : " (" + why + ")")});
    }
    ::usleep(10'000);
  }
  return {};
}

Result<void> Daemon::begin_serving() {
  if (predecessor_) {
    TRY(predecessor_->release());
    // It answers on meanwhile, and its keys are ours now: also first ones, of zones that only this
    // one signs.
    key_keeper_->look();
    signing_->settle(kTakeOverSigning);
    TRY(start_helpers());
    TRY(predecessor_->finish());
  } else {
    TRY(start_helpers());
  }
  if (control_) control_->own_file(true);
  TRY(frontend_->begin());
  // So that a restart by systemd loses nothing: what comes between the end of this process and the
  // next one waits in the sockets.
  kept_sockets_.keep(frontend_->descriptors());
  for (const Endpoint& address : frontend_->addresses()) {
    logger_.info("serving on {}", format(address));
  }
  for (const Endpoint& address : frontend_->tls_addresses()) {
    logger_.info("serving on {} by TLS", format(address));
  }
  return {};
}

void Daemon::offer_hand_over() {
  net::HandOverSteps steps;
  steps.descriptors = [this] { return frontend_->descriptors(); };
  steps.release = [this] {
    release();
    return json::object();
  };
  steps.stop = [this] { frontend_->stop(); };
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

// The successor writes the files of snapshots and the log from now on, tells the manager of
// answers, and is asked for metrics.
void Daemon::release() {
  released_ = true;
  key_keeper_->leave();
  metrics_.reset();
  reporter_.reset();
  query_log_->leave();
  watch_.stop();
  stop_puller();
  relay_.reset();
}

void Daemon::resume() {
  released_ = false;
  key_keeper_->resume();
  const auto tell = [this](const Result<void>& done) {
    if (!done.ok()) logger_.error("{}", done.error().text());
  };
  if (!frontend_->serving()) tell(frontend_->begin());
  tell(query_log_->open(config_.query_log, config_.server.identity));
  tell(start_helpers());
}

}  // namespace timepool::dnsd
