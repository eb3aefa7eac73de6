#include "certificates/challenge_listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <span>

#include "sys/clock.h"
#include "sys/stream_socket.h"

namespace timepool::certificates {
namespace {

constexpr int kBacklog = 64;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

}  // namespace

struct ChallengeListener::Connection {
  sys::Fd fd;
  net::Watch watch;
  MonoTime opened;
  std::string in;
  std::string out;
  std::size_t sent = 0;  // of `out`
  std::unique_ptr<net::TlsSession> tls;
  bool last = false;  // it ends when all of `out` is sent
};

Result<sys::Fd> ChallengeListener::bind(const Endpoint& endpoint) {
  return sys::listen_stream(endpoint, "listen on " + format(endpoint), {.backlog = kBacklog});
}

ChallengeListener::ChallengeListener(net::Reactor& reactor, const ChallengeBoard& board, Kind kind,
                                     sys::Fd listener)
    : reactor_(reactor), board_(board), kind_(kind), acceptor_(reactor) {
  acceptor_.start(std::move(listener), [this](sys::Fd accepted) { take(std::move(accepted)); });
}

ChallengeListener::~ChallengeListener() = default;

Endpoint ChallengeListener::endpoint() const {
  return sys::local_endpoint(acceptor_.listener()).value_or(Endpoint());
}

void ChallengeListener::take(sys::Fd fd) {
  ++counters_.connections;
  const auto live = board_.live();
  if (kind_ == Kind::kTls && live->tls == nullptr) {
    ++counters_.refused;
    return;
  }
  if (connections_.size() >= kMaxConnections) connections_.pop_front();
  connections_.push_back(std::make_unique<Connection>());
  const auto at = std::prev(connections_.end());
  Connection& connection = **at;
  connection.fd = std::move(fd);
  connection.opened = sys::mono_now();
  if (kind_ == Kind::kTls) connection.tls = net::TlsSession::server(live->tls);
  connection.watch = reactor_.watch(connection.fd.number(), POLLIN,
                                    [this, at](short ready) { on_ready(at, ready); });
  close_idle();
}

void ChallengeListener::on_ready(Connections::iterator at, short ready) {
  Connection& connection = **at;
  bool alive = (ready & (POLLERR | POLLNVAL)) == 0;
  if (alive && !connection.last) alive = receive(connection);
  if (alive) alive = send_some(connection);
  if (!alive) connections_.erase(at);
}

// False when the other side ended before it was done.
bool ChallengeListener::receive(Connection& connection) {
  std::array<char, 4096> room;
  const ssize_t count = ::recv(connection.fd.number(), room.data(), room.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  const std::span<const char> octets(room.data(), static_cast<std::size_t>(count));
  if (connection.tls != nullptr) {
    take_tls(connection, std::as_bytes(octets));
  } else {
    connection.in.append(octets.data(), octets.size());
    take_http(connection);
  }
  return true;
}

void ChallengeListener::take_http(Connection& connection) {
  const std::size_t end = connection.in.find(kEndOfHead);
  if (end == std::string::npos && connection.in.size() <= acme::kMaxRequestHead) return;
  acme::ChallengeAnswer answer =
      acme::answer_challenge(std::string_view(connection.in).substr(0, end), board_.live()->http);
  ++counters_.answers[static_cast<std::size_t>(answer.reason)];
  connection.out = std::move(answer.octets);
  connection.last = true;
}

// RFC 8737 3: the handshake is all that there is; no application data is taken or sent.
void ChallengeListener::take_tls(Connection& connection, Bytes octets) {
  connection.tls->feed(octets);
  const auto state = connection.tls->state();
  if (state == net::TlsSession::State::kHandshake) {
    // What is to be sent is sent below.
  } else {
    ++(state == net::TlsSession::State::kOpen ? counters_.handshakes : counters_.refused);
    connection.tls->close();
    connection.last = true;
  }
  const Bytes outgoing = connection.tls->outgoing();
  connection.out.append(reinterpret_cast<const char*>(outgoing.data()), outgoing.size());
  connection.tls->sent(outgoing.size());
}

// False when there is no more to do for it.
bool ChallengeListener::send_some(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const std::string_view rest = std::string_view(connection.out).substr(connection.sent);
    const ssize_t count =
        ::send(connection.fd.number(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      connection.watch.set_events(POLLOUT);
      return true;
    }
    if (count < 0) return false;
    connection.sent += static_cast<std::size_t>(count);
  }
  connection.watch.set_events(POLLIN);
  return !connection.last;
}

void ChallengeListener::close_idle() {
  const MonoTime now = sys::mono_now();
  connections_.remove_if([&](const auto& it) { return now - it->opened >= kIdle; });
  if (connections_.empty()) return;
  idle_timer_ = reactor_.at(connections_.front()->opened + kIdle, [this] { close_idle(); });
}

}  // namespace timepool::certificates
