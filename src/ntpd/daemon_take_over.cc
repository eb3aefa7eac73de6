// How the daemon takes over from the process before, and hands over to the one after it.
#include <boost/json.hpp>
#include <utility>

#include "ntpd/daemon.h"
#include "ntpd/handed_state.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace json = boost::json;

Result<void> Daemon::take_state() {
  const json::object state = TRY(succession_.release_predecessor());
  const json::value* served = state.if_contains("served");
  if (!server_ || served == nullptr || !served->is_object()) return {};
  // Whoever does not keep the clock can't vouch for it.
  if (config_.clock != config::ClockControl::kSteer) return {};
  if (const auto parsed = parse_handed_state(served->get_object())) server_->hold(*parsed);
  return {};
}

void Daemon::offer_hand_over() {
  net::Succession::Steps steps;
  steps.descriptors = [this] { return served_descriptors(); };
  steps.release = [this] { return release(); };
  steps.stop = [this] {
    if (server_) server_->stop();
    if (key_server_) key_server_->stop();
  };
  steps.resume = [this] { resume(); };
  succession_.offer(*control_, std::move(steps));
}

json::object Daemon::release() {
  json::object out;
  if (client_) {
    const auto served = client_->keeper().server_state(sys::mono_now());
    if (served) out["served"] = handed_state(*served);
    if (served && server_) server_->hold(*served);
    log_tracking();
    leap_ = client_->leap();
  }
  source_files_timer_.cancel();
  // Two processes with one store would undo each other's work.
  if (acme_) acme_->stop();
  // The clock is left at its base rate, its frequency and the time saved.
  client_.reset();
  broadcaster_.reset();
  log_.reset();
  metrics_.reset();
  return out;
}

void Daemon::resume() {
  const auto tell = [this](const Result<void>& done) {
    if (!done.ok()) logger_.error("{}", done.error().text());
  };
  if (server_ && !server_->serving()) tell(server_->begin());
  if (key_server_ && !key_server_->serving()) tell(key_server_->begin());
  if (acme_) tell(acme_->begin());
  start_log();
  tell(start_broadcaster());
  tell(start_client());
  watch_source_files();
  tell(start_metrics());
}

}  // namespace timepool::ntpd
