#include "dnsd/tcp_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {
namespace {

// RFC 1035 4.2.2: two bytes of length before each message.
constexpr std::size_t kLength = 2;
constexpr std::size_t kMaxMessage = 65535;
// While a client leaves this much unread, no more of its queries are answered: one longest reply.
constexpr std::size_t kMaxUnsent = 65536;
// Taken from one connection before the others get their turn.
constexpr std::size_t kReadChunk = 16384;
constexpr int kBacklog = 256;
constexpr int kMaxAccepts = 64;
// After an accept that failed and would fail again at once.
constexpr Duration kAcceptPause = Duration::milliseconds(100);

}  // namespace

struct TcpServer::Connection {
  sys::Fd fd;
  net::Watch watch;
  IpAddress client;
  MonoTime last_move;
  std::vector<std::byte> in;  // not yet answered
  std::vector<std::byte> out;
  std::size_t sent = 0;  // of out
  bool ended = false;    // the client sends no more
  bool broken = false;   // to be closed once `out` is sent

  std::size_t unsent() const { return out.size() - sent; }
};

TcpServer::TcpServer(net::Reactor& reactor, const config::DnsdTcpConfig& config,
                     QueryHandler& handler)
    : reactor_(reactor), config_(config), handler_(handler), reply_(kMaxMessage) {}

TcpServer::~TcpServer() = default;

Result<std::unique_ptr<TcpServer>> TcpServer::start(net::Reactor& reactor,
                                                    const std::vector<Endpoint>& listen,
                                                    const config::DnsdTcpConfig& config,
                                                    QueryHandler& handler) {
  std::unique_ptr<TcpServer> out(new TcpServer(reactor, config, handler));
  for (const Endpoint& endpoint : listen) TRY(out->listen_on(endpoint));
  out->close_idle();
  return out;
}

Result<void> TcpServer::listen_on(const Endpoint& endpoint) {
  const std::string what = "[server] listen " + format(endpoint) + " by TCP";
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(endpoint, address);
  auto made = sys::make_socket(address.ss_family, SOCK_STREAM);
  if (!made.ok()) return fail(made.error());
  auto listener = std::make_unique<Listener>();
  listener->fd = std::move(made).value();
  const int fd = listener->fd.number();
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!endpoint.address.is_v4()) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    return fail(system_error(errno, what));
  }
  listener->watch = reactor_.watch(fd, POLLIN, [this, fd](short) { accept_from(fd); });
  listeners_.push_back(std::move(listener));
  return {};
}

void TcpServer::accept_from(int listener) {
  for (int i = 0; i < kMaxAccepts; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    sys::Fd fd(::accept(listener, reinterpret_cast<sockaddr*>(&address), &length));
    if (!fd) {
      const int error = errno;
      if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        pause_accepting();
      }
      return;
    }
    const auto from = sys::from_sockaddr(address);
    if (!from || !sys::set_nonblocking_cloexec(fd.number()).ok()) continue;
    admit(std::move(fd), from->address.unmapped());
  }
}

// Without descriptors or memory the listener would be ready again at once, and the loop would spin.
void TcpServer::pause_accepting() {
  for (const auto& listener : listeners_) listener->watch.set_events(0);
  accept_timer_ = reactor_.at(sys::mono_now() + kAcceptPause, [this] {
    for (const auto& listener : listeners_) listener->watch.set_events(POLLIN);
  });
}

void TcpServer::admit(sys::Fd fd, const IpAddress& client) {
  const auto known = by_client_.find(client);
  if (known != by_client_.end() && known->second >= config_.max_per_client) {
    ++counts_.refused;
    return;
  }
  while (connections_.size() >= config_.max_connections) {
    ++counts_.crowded_out;
    close(connections_.begin());
  }
  ++counts_.accepted;
  ++counts_.open;
  ++by_client_[client];
  connections_.push_back(std::make_unique<Connection>());
  const auto at = std::prev(connections_.end());
  Connection& connection = **at;
  connection.client = client;
  connection.last_move = sys::mono_now();
  connection.fd = std::move(fd);
  connection.watch = reactor_.watch(connection.fd.number(), POLLIN,
                                    [this, at](short ready) { on_ready(at, ready); });
}

void TcpServer::on_ready(Connections::iterator at, short ready) {
  Connection& connection = **at;
  connection.last_move = sys::mono_now();
  connections_.splice(connections_.end(), connections_, at);
  if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0 && connection.unsent() < kMaxUnsent &&
      !read_some(connection)) {
    close(at);
    return;
  }
  // Sending makes room for the answers to what was read before.
  std::size_t waiting = 0;
  do {
    waiting = connection.in.size();
    answer_all(connection);
    if (!flush(connection)) {
      close(at);
      return;
    }
  } while (connection.unsent() == 0 && connection.in.size() < waiting);
  if (connection.unsent() == 0 && (connection.ended || connection.broken)) {
    if (connection.broken || !connection.in.empty()) ++counts_.broken;
    close(at);
    return;
  }
  const bool reads = connection.unsent() < kMaxUnsent && !connection.ended && !connection.broken;
  connection.watch.set_events(
      static_cast<short>((reads ? POLLIN : 0) | (connection.unsent() > 0 ? POLLOUT : 0)));
}

// False when the connection is of no more use.
bool TcpServer::read_some(Connection& connection) {
  const std::size_t before = connection.in.size();
  connection.in.resize(before + kReadChunk);
  const ssize_t count =
      ::recv(connection.fd.number(), connection.in.data() + before, kReadChunk, 0);
  connection.in.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
  if (count > 0) return true;
  if (count == 0) {
    connection.ended = true;
    return true;
  }
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// Every whole message, as long as the client reads what it is sent.
void TcpServer::answer_all(Connection& connection) {
  handler_.begin_batch();
  const auto now = static_cast<std::uint32_t>(sys::unix_now().seconds());
  std::size_t at = 0;
  const Bytes in(connection.in);
  while (!connection.broken && connection.unsent() < kMaxUnsent && in.size() - at >= kLength) {
    const std::size_t length =
        std::to_integer<std::size_t>(in[at]) << 8 | std::to_integer<std::size_t>(in[at + 1]);
    if (in.size() - at - kLength < length) break;
    ++counts_.queries;
    const std::size_t size =
        handler_.answer_tcp(connection.client, now, in.subspan(at + kLength, length), reply_);
    at += kLength + length;
    if (size == 0) {
      // What gets no answer would leave the client waiting for one in its place.
      connection.broken = true;
      break;
    }
    connection.out.push_back(static_cast<std::byte>(size >> 8));
    connection.out.push_back(static_cast<std::byte>(size & 0xff));
    connection.out.insert(connection.out.end(), reply_.begin(),
                          reply_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  connection.in.erase(connection.in.begin(),
                      connection.in.begin() + static_cast<std::ptrdiff_t>(at));
}

bool TcpServer::flush(Connection& connection) {
  while (connection.unsent() > 0) {
    const ssize_t count = ::send(connection.fd.number(), connection.out.data() + connection.sent,
                                 connection.unsent(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    connection.sent += static_cast<std::size_t>(count);
  }
  connection.out.clear();
  connection.sent = 0;
  return true;
}

void TcpServer::close(Connections::iterator at) {
  const auto client = by_client_.find((*at)->client);
  if (--client->second == 0) by_client_.erase(client);
  --counts_.open;
  connections_.erase(at);
}

void TcpServer::close_idle() {
  const MonoTime now = sys::mono_now();
  while (!connections_.empty() && now - connections_.front()->last_move >= config_.idle_timeout) {
    ++counts_.timed_out;
    close(connections_.begin());
  }
  // Often enough that a connection lives at most an eighth longer than it may.
  const Duration next = std::min(config_.idle_timeout / 8, Duration::seconds(1));
  idle_timer_ = reactor_.at(now + next, [this] { close_idle(); });
}

TcpCounts TcpServer::counts() const {
  return {counts_.accepted, counts_.refused, counts_.crowded_out, counts_.timed_out,
          counts_.queries,  counts_.broken,  counts_.open};
}

}  // namespace timepool::dnsd
