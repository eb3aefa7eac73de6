// How the daemon takes over from the process before, and hands over to the one after it.
#include <unistd.h>

#include <boost/json.hpp>
#include <utility>

#include "dnsd/daemon.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace json = boost::json;

Result<void> Daemon::await_snapshot() {
  if (!succession_.takes_over() || config_.snapshot.urls.empty() || held_) return {};
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
  if (succession_.takes_over()) {
    TRY(succession_.release_predecessor());
    // It answers on meanwhile, and its keys are ours now: also first ones, of zones that only this
    // one signs.
    key_keeper_->look();
    signing_->settle(kTakeOverSigning);
  }
  TRY(start_helpers());
  TRY(succession_.finish());
  if (control_) control_->own_file(true);
  TRY(frontend_->begin());
  succession_.keep(frontend_->descriptors());
  for (const Endpoint& address : frontend_->addresses()) {
    logger_.info("serving on {}", format(address));
  }
  for (const Endpoint& address : frontend_->tls_addresses()) {
    logger_.info("serving on {} by TLS", format(address));
  }
  return {};
}

void Daemon::offer_hand_over() {
  net::Succession::Steps steps;
  steps.descriptors = [this] { return frontend_->descriptors(); };
  steps.release = [this] {
    release();
    return json::object();
  };
  steps.stop = [this] { frontend_->stop(); };
  steps.resume = [this] { resume(); };
  succession_.offer(*control_, std::move(steps));
}

// The successor writes the files of snapshots and the log from now on, tells the manager of
// answers, and is asked for metrics.
void Daemon::release() {
  key_keeper_->leave();
  metrics_.reset();
  reporter_.reset();
  query_log_->leave();
  watch_.stop();
  stop_puller();
  relay_.reset();
}

void Daemon::resume() {
  key_keeper_->resume();
  const auto tell = [this](const Result<void>& done) {
    if (!done.ok()) logger_.error("{}", done.error().text());
  };
  if (!frontend_->serving()) tell(frontend_->begin());
  tell(query_log_->open(config_.query_log, config_.server.identity));
  tell(start_helpers());
}

}  // namespace timepool::dnsd
