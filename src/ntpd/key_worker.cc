#include "ntpd/key_worker.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {
namespace {

using Phase = KeyConnection::Phase;

bool is_want_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

KeyLoss loss_of(Admission refused) {
  switch (refused) {
    case Admission::kNetworkFull:
      return KeyLoss::kLimitNetwork;
    case Admission::kRate:
      return KeyLoss::kLimitRate;
    default:
      return KeyLoss::kLimitConnections;
  }
}

struct Accepted {
  sys::Fd socket;      // none when nobody waits, or by errno
  bool others = true;  // whether others may wait
};

// As sys::make_socket(): what stands in for the system in chrony's simulator has accept() and no
// accept4(), for which its descriptors are none; and who asks once too often ends it.
Accepted accept_from(int listener, sockaddr_storage& address) {
  auto* const from = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  Accepted out{sys::Fd(::accept4(listener, from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC))};
  if (out.socket || errno != EBADF) return out;
  out = {sys::Fd(::accept(listener, from, &length)), false};
  if (out.socket && !sys::set_nonblocking_cloexec(out.socket.number()).ok()) out.socket.reset();
  return out;
}

}  // namespace

KeyWorker::KeyWorker(net::Reactor& reactor, const NewestKeyService& service, KeyGate& gate,
                     const AeadMaker& aeads)
    : reactor_(reactor), service_(service), gate_(gate), cookies_(aeads, random_) {}

KeyWorker::~KeyWorker() {
  while (!asking_.empty()) {
    asking_.front().connection.give_up(KeyLoss::kStopped);
    remove(asking_.begin());
  }
  while (!waiting_.empty()) remove(waiting_.begin());
}

void KeyWorker::start(const std::vector<int>& listeners) {
  for (const int fd : listeners) {
    listeners_.push_back(reactor_.watch(fd, POLLIN, [this, fd](short) { accept_some(fd); }));
  }
}

void KeyWorker::stop() {
  listeners_.clear();
  pause_.cancel();
}

void KeyWorker::accept_some(int listener) {
  for (int i = 0; i < kAcceptBatch && accept_one(listener); ++i) {
  }
}

// False when there is no further one now.
bool KeyWorker::accept_one(int listener) {
  sockaddr_storage address{};
  Accepted accepted = accept_from(listener, address);
  if (!accepted.socket) {
    if (is_want_of_resources(errno)) pause();
    return false;
  }
  const auto from = sys::from_sockaddr(address);
  if (!from) return accepted.others;
  std::shared_ptr<const KeyService> service = service_.get();
  if (service->tls == nullptr) {
    counters_.count(KeyLoss::kNoCertificate);
    return accepted.others;
  }
  const MonoTime now = sys::mono_now();
  Admission admission = gate_.admit(from->address, now);
  if (admission == Admission::kFull && make_room(now)) {
    admission = gate_.admit(from->address, now);
  }
  if (admission == Admission::kYes) {
    take(std::move(accepted.socket), from->address, std::move(service), now);
  } else {
    counters_.count(loss_of(admission));
  }
  return accepted.others;
}

// Ends the connection that is the least loss. False when all are still new.
bool KeyWorker::make_room(MonoTime now) {
  if (!waiting_.empty()) {
    remove(waiting_.begin());
    return true;
  }
  if (asking_.empty()) return false;
  KeyConnection& oldest = asking_.front().connection;
  if (now - oldest.began() < kPatience) return false;
  oldest.give_up(KeyLoss::kDisplaced);
  remove(asking_.begin());
  return true;
}

void KeyWorker::take(sys::Fd socket, const IpAddress& from,
                     std::shared_ptr<const KeyService> service, MonoTime now) {
  const int fd = socket.number();
  if (service->cookies) cookies_.use(*service->cookies);
  asking_.push_back(
      {KeyConnection(std::move(socket), from, std::move(service), now), {}, {}, false});
  open_.fetch_add(1, std::memory_order_relaxed);
  const auto at = std::prev(asking_.end());
  at->until = at->connection.deadline();
  at->watch = reactor_.watch(fd, POLLIN, [this, at](short ready) { handle_ready(at, ready); });
  if (!timer_.pending()) set_timer();
}

void KeyWorker::handle_ready(Connections::iterator at, short ready) {
  at->connection.handle_ready(cookies_, room_, (ready & POLLHUP) != 0);
  settle(at);
}

// After something was done with one that is not answered, or one that waits.
void KeyWorker::settle(Connections::iterator at) {
  const KeyConnection& connection = at->connection;
  if (connection.phase() == Phase::kOver) return remove(at);
  at->watch.set_events(connection.wants_write() ? POLLIN | POLLOUT : POLLIN);
  if (connection.phase() != Phase::kWaiting || at->answered) return;
  const MonoTime now = sys::mono_now();
  counters_.count(*connection.outcome());
  counters_.count_duration(now - connection.began());
  at->until = now + kLinger;
  at->answered = true;
  waiting_.splice(waiting_.end(), asking_, at);
  if (waiting_.size() == 1) set_timer();
}

void KeyWorker::remove(Connections::iterator at) {
  if (!at->answered) counters_.count(*at->connection.outcome());
  gate_.leave(at->connection.from());
  open_.fetch_sub(1, std::memory_order_relaxed);
  (at->answered ? waiting_ : asking_).erase(at);
}

void KeyWorker::handle_timer() {
  const MonoTime now = sys::mono_now();
  while (!asking_.empty() && asking_.front().until <= now) {
    const auto at = asking_.begin();
    at->connection.handle_deadline();
    // Answered now, it waits; blocked, it is given up at last.
    if (at->connection.phase() == Phase::kTelling) at->connection.give_up(KeyLoss::kLost);
    settle(at);
  }
  while (!waiting_.empty() && waiting_.front().until <= now) remove(waiting_.begin());
  set_timer();
}

void KeyWorker::set_timer() {
  if (asking_.empty() && waiting_.empty()) return;
  MonoTime next = MonoTime::max();
  if (!asking_.empty()) next = asking_.front().until;
  if (!waiting_.empty()) next = std::min(next, waiting_.front().until);
  timer_ = reactor_.at(next, [this] { handle_timer(); });
}

void KeyWorker::pause() {
  counters_.count_accept_error();
  for (net::Watch& it : listeners_) it.set_events(0);
  pause_ = reactor_.at(sys::mono_now() + kPause, [this] {
    for (net::Watch& it : listeners_) it.set_events(POLLIN);
  });
}

}  // namespace timepool::ntpd
