#include "net/hand_over.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "sys/clock.h"
#include "sys/version.h"

namespace timepool::net {
namespace json = boost::json;
namespace {

Failure<Error> refused(ErrorCode code, std::string detail) {
  return fail(Error{code, "take-over", std::move(detail)});
}

// What systemd gave this process and its successor must know too.
json::object environment() {
  json::object out;
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC"}) {
    if (const char* value = std::getenv(name)) out[name] = value;
  }
  return out;
}

}  // namespace

HandOver::HandOver(Reactor& reactor, ControlServer& control, sys::Logger& logger,
                   HandOverSteps steps, Duration phase_limit)
    : reactor_(reactor),
      control_(control),
      logger_(logger),
      steps_(std::move(steps)),
      phase_limit_(phase_limit) {
  control.add_for_peer("take-over", "For a new process of this program that takes its place.",
                       [this](const json::object& request, const ControlPeer& peer) {
                         return handle(request, peer);
                       });
  control.on_closed([this](std::uint64_t connection) {
    if (connection != successor_.connection) return;
    if (phase_ == Phase::kBegun) phase_ = Phase::kNone;
    give_up("the connection of the new process ended");
  });
}

Result<ControlAnswer> HandOver::handle(const json::object& request, const ControlPeer& peer) {
  const json::value* value = request.if_contains("phase");
  const std::string_view phase =
      value != nullptr && value->is_string() ? std::string_view(value->get_string()) : "";
  if (phase == "begin") return begin(peer);
  if (phase_ == Phase::kNone || peer.connection != successor_.connection) {
    return refused(ErrorCode::kInvalid, "it was not begun on this connection, or was given up");
  }
  if (phase == "descriptors") return descriptors(request);
  if (phase == "release" && phase_ == Phase::kBegun) return release();
  if (phase == "stop" && phase_ == Phase::kReleased) return stop();
  if (phase == "confirm" && phase_ == Phase::kStopped) return confirm();
  return refused(ErrorCode::kInvalid, "phase \"" + std::string(phase.substr(0, 64)) +
                                          "\" does not come next: begin, descriptors, release, "
                                          "stop, confirm");
}

Result<ControlAnswer> HandOver::begin(const ControlPeer& peer) {
  if (peer.user != 0 && peer.user != ::geteuid()) {
    return refused(ErrorCode::kDenied, "only root and user " + std::to_string(::geteuid()) +
                                           " may, not user " + std::to_string(peer.user));
  }
  if (phase_ != Phase::kNone && peer.connection != successor_.connection) {
    return refused(ErrorCode::kExists,
                   "process " + std::to_string(successor_.process) + " is at it already");
  }
  if (phase_ > Phase::kBegun) return refused(ErrorCode::kInvalid, "it was begun before");
  phase_ = Phase::kBegun;
  successor_ = peer;
  json::object out;
  out["pid"] = ::getpid();
  out["version"] = sys::version();
  out["descriptors"] = 1 + steps_.descriptors().size();
  out["environment"] = environment();
  return ControlAnswer{std::move(out), {}};
}

Result<ControlAnswer> HandOver::descriptors(const json::object& request) const {
  std::vector<int> all{control_.listener()};
  for (const int number : steps_.descriptors()) all.push_back(number);
  const json::value* value = request.if_contains("first");
  const std::int64_t first = value != nullptr && value->is_int64() ? value->get_int64() : -1;
  if (first < 0 || static_cast<std::size_t>(first) >= all.size()) {
    return refused(ErrorCode::kInvalid, "\"first\" must be below the number of descriptors");
  }
  const auto begin = all.begin() + first;
  const std::size_t count =
      std::min(static_cast<std::size_t>(all.end() - begin), kMaxControlDescriptors);
  json::object out;
  out["count"] = count;
  return ControlAnswer{std::move(out),
                       std::vector<int>(begin, begin + static_cast<std::ptrdiff_t>(count))};
}

Result<ControlAnswer> HandOver::release() {
  logger_.info("process {} takes over", successor_.process);
  phase_ = Phase::kReleased;
  limit_phase();
  json::object out;
  out["state"] = steps_.release();
  return ControlAnswer{std::move(out), {}};
}

Result<ControlAnswer> HandOver::stop() {
  phase_ = Phase::kStopped;
  limit_phase();
  control_.pause();
  steps_.stop();
  return ControlAnswer{};
}

Result<ControlAnswer> HandOver::confirm() {
  phase_ = Phase::kConfirmed;
  // Before the successor can say anything of itself.
  steps_.announce(successor_.process);
  // The answer goes out first; if it can't, the connection ends before the timer is due.
  timer_ = reactor_.at(sys::mono_now(), [this] {
    const pid_t successor = successor_.process;
    // Nothing that its connection does matters any more.
    phase_ = Phase::kNone;
    successor_ = {};
    control_.own_file(false);
    logger_.info("process {} has taken over", successor);
    steps_.leave(successor);
  });
  return ControlAnswer{};
}

void HandOver::limit_phase() {
  timer_ = reactor_.at(sys::mono_now() + phase_limit_,
                       [this] { give_up("the new process did not go on in time"); });
}

void HandOver::give_up(std::string_view why) {
  if (phase_ <= Phase::kBegun) return;
  timer_.cancel();
  logger_.error("process {} did not take over: {}; this one goes on", successor_.process, why);
  phase_ = Phase::kNone;
  successor_ = {};
  control_.resume();
  steps_.resume();
}

}  // namespace timepool::net
