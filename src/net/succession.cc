#include "net/succession.h"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "sys/notify.h"
#include "sys/user.h"

namespace timepool::net {
namespace {

Result<uid_t> user_to_be(const std::string& user) {
  if (user.empty()) return ::geteuid();
  const Result<sys::Account> found = sys::account_of(user);
  if (found.ok()) return found->user;
  Error error = found.error();
  error.operation = "[sandbox] user: " + error.operation;
  return fail(std::move(error));
}

// The owner of a file that is there and is not `user`'s; -1: none.
int other_owner(const std::string& path, uid_t user) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0 || file.st_uid == user) return -1;
  return static_cast<int>(file.st_uid);
}

}  // namespace

Result<void> Succession::inherit(Begin begin, const std::string& control_socket,
                                 const std::string& user) {
  kept_sockets_.take(inherited_, logger_);
  if (begin == Begin::kAlone) return {};
  if (control_socket.empty()) {
    return fail(Error{ErrorCode::kInvalid, "[control] socket",
                      "it is empty, and that is where the running daemon would be asked"});
  }
  predecessor_ = TRY(TakeOver::begin(control_socket, inherited_));
  if (!predecessor_) {
    logger_.info("nobody to take over from at {}", control_socket);
    return {};
  }
  kept_sockets_.note_kept(inherited_.size());
  logger_.info("taking over from process {} (version {})", predecessor_->process(),
               predecessor_->version());
  return note_owners(control_socket, user);
}

Result<void> Succession::note_owners(const std::string& control_socket, const std::string& user) {
  const uid_t next = TRY(user_to_be(user));
  TRY(owners_.note(inherited_.descriptors()));
  const bool sockets = owned_ == Owned::kSockets;
  int before = sockets ? owners_.other_than(next) : -1;
  if (!sockets || inherited_.empty()) before = other_owner(control_socket, next);
  if (before < 0) return {};
  const std::string what = sockets ? "sockets belong" : "control socket belongs";
  return fail(Error{ErrorCode::kInvalid, "[sandbox] user",
                    "the running daemon's " + what + " to user " + std::to_string(before) +
                        " and this one would be user " + std::to_string(next) +
                        ", who could not give " + (sockets ? "them" : "it") +
                        " back: end that one and start this instead"});
}

Result<boost::json::object> Succession::release_predecessor() {
  if (!predecessor_) return boost::json::object();
  return predecessor_->release();
}

Result<void> Succession::finish() {
  if (!predecessor_) return {};
  return predecessor_->finish();
}

void Succession::offer(ControlServer& control, Steps steps) {
  steps_ = std::move(steps);
  HandOverSteps out;
  out.descriptors = [this] { return steps_.descriptors(); };
  out.release = [this] {
    released_ = true;
    return steps_.release();
  };
  out.stop = [this] { steps_.stop(); };
  out.resume = [this] {
    sys::notify_main_pid(::getpid());
    released_ = false;
    steps_.resume();
  };
  out.announce = [](pid_t successor) { sys::notify_main_pid(successor); };
  out.leave = [this](pid_t) {
    left_ = true;
    reactor_.stop();
  };
  hand_over_ = std::make_unique<HandOver>(reactor_, control, logger_, std::move(out));
}

Result<void> Succession::must_hold(const char* what) const {
  if (!released_) return {};
  return fail(Error{ErrorCode::kUnavailable, what, "another process is taking over"});
}

}  // namespace timepool::net
