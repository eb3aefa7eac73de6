#include "net/short_connections.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "sys/clock.h"

namespace timepool::net {

struct ShortConnections::Connection {
  // Both: false when there is no more to do for it.
  bool receive();
  bool send();

  sys::Fd fd;
  Watch watch;
  MonoTime opened;
  std::unique_ptr<Dialogue> dialogue;
  std::string out;
  std::size_t sent = 0;  // of `out`
  bool last = false;     // it ends when all of `out` is sent
};

bool ShortConnections::Connection::receive() {
  std::array<std::byte, 4096> room;
  const ssize_t count = ::recv(fd.number(), room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  last = !dialogue->take(std::span(room).first(static_cast<std::size_t>(count)), out);
  return true;
}

bool ShortConnections::Connection::send() {
  while (sent < out.size()) {
    const std::string_view rest = std::string_view(out).substr(sent);
    const ssize_t count =
        ::send(fd.number(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      watch.set_events(POLLOUT);
      return true;
    }
    if (count < 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  out.clear();
  sent = 0;
  watch.set_events(POLLIN);
  return !last;
}

ShortConnections::ShortConnections(Reactor& reactor, Limits limits, Begin begin)
    : reactor_(reactor), limits_(limits), begin_(std::move(begin)), acceptor_(reactor) {}

ShortConnections::~ShortConnections() = default;

void ShortConnections::start(sys::Fd listener) {
  acceptor_.start(std::move(listener), [this](sys::Fd accepted) { take(std::move(accepted)); });
}

void ShortConnections::take(sys::Fd fd) {
  std::unique_ptr<Dialogue> dialogue = begin_();
  if (dialogue == nullptr) return;
  if (connections_.size() >= limits_.most) connections_.pop_front();
  connections_.push_back(std::make_unique<Connection>());
  const auto at = std::prev(connections_.end());
  Connection& connection = **at;
  connection.fd = std::move(fd);
  connection.opened = sys::mono_now();
  connection.dialogue = std::move(dialogue);
  connection.watch = reactor_.watch(connection.fd.number(), POLLIN,
                                    [this, at](short ready) { on_ready(at, ready); });
  close_old();
}

void ShortConnections::on_ready(Connections::iterator at, short ready) {
  Connection& connection = **at;
  bool alive = (ready & (POLLERR | POLLNVAL)) == 0;
  // Who does not read what it was sent is not listened to either.
  if (alive && connection.out.empty()) alive = connection.receive();
  if (alive) alive = connection.send();
  if (!alive) connections_.erase(at);
}

void ShortConnections::close_old() {
  const MonoTime now = sys::mono_now();
  connections_.remove_if([&](const auto& it) { return now - it->opened >= limits_.life; });
  if (connections_.empty()) return;
  life_timer_ = reactor_.at(connections_.front()->opened + limits_.life, [this] { close_old(); });
}

}  // namespace timepool::net
