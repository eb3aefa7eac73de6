#include "net/metrics_listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/http_message.h"
#include "sys/clock.h"
#include "sys/stream_socket.h"

namespace timepool::net {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";

std::string response(int status, std::string_view type, std::string_view body, bool with_body) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " " + std::string(http_reason(status)) +
                    "\r\nContent-Type: " + std::string(type) +
                    "\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
  if (status == 405) out += "Allow: GET, HEAD\r\n";
  out += "\r\n";
  if (with_body) out += body;
  return out;
}

}  // namespace

// RFC 9112 3: method, target and version, one space between. Fields are not looked at.
MetricsRequest metrics_request_of(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last == first) {
    return MetricsRequest::kMalformed;
  }
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return MetricsRequest::kMalformed;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.empty() || target.find(' ') != std::string_view::npos) {
    return MetricsRequest::kMalformed;
  }
  if (target.substr(0, target.find('?')) != "/metrics") return MetricsRequest::kNotFound;
  if (method == "GET") return MetricsRequest::kMetrics;
  return method == "HEAD" ? MetricsRequest::kHead : MetricsRequest::kBadMethod;
}

struct MetricsListener::Connection {
  sys::Fd fd;
  Watch watch;
  MonoTime opened;
  std::string in;
  std::string out;
  std::size_t sent = 0;  // of `out`
};

MetricsListener::MetricsListener(Reactor& reactor, MetricsListenerOptions options,
                                 MetricSource source)
    : reactor_(reactor),
      options_(std::move(options)),
      source_(std::move(source)),
      acceptor_(reactor) {}

MetricsListener::~MetricsListener() = default;

Result<std::unique_ptr<MetricsListener>> MetricsListener::start(Reactor& reactor,
                                                                MetricsListenerOptions options,
                                                                MetricSource source) {
  std::unique_ptr<MetricsListener> out(
      new MetricsListener(reactor, std::move(options), std::move(source)));
  TRY(out->listen());
  return out;
}

Result<void> MetricsListener::listen() {
  const std::string what = options_.setting + ": listen on " + format(options_.listen);
  sys::Fd listener = TRY(sys::listen_stream(options_.listen, what));
  options_.listen = TRY(sys::local_endpoint(listener.number()));
  acceptor_.start(std::move(listener), [this](sys::Fd accepted) { take(std::move(accepted)); });
  return {};
}

void MetricsListener::take(sys::Fd fd) {
  if (connections_.size() >= options_.max_connections) connections_.pop_front();
  connections_.push_back(std::make_unique<Connection>());
  const auto at = std::prev(connections_.end());
  Connection& connection = **at;
  connection.fd = std::move(fd);
  connection.opened = sys::mono_now();
  connection.watch = reactor_.watch(connection.fd.number(), POLLIN,
                                    [this, at](short ready) { on_ready(at, ready); });
  close_idle();
}

void MetricsListener::on_ready(Connections::iterator at, short ready) {
  Connection& connection = **at;
  bool alive = (ready & (POLLERR | POLLNVAL)) == 0;
  if (alive && connection.out.empty()) alive = read_some(connection);
  if (alive && !connection.out.empty()) alive = send_some(connection);
  if (!alive) connections_.erase(at);
}

// False when the other side ended before it had asked.
bool MetricsListener::read_some(Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t count = ::recv(connection.fd.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  connection.in.append(buffer.data(), static_cast<std::size_t>(count));
  const std::size_t end = connection.in.find(kEndOfHead);
  if (end != std::string::npos && end <= options_.max_request) {
    connection.out = answer(std::string_view(connection.in).substr(0, end));
  } else if (connection.in.size() > options_.max_request) {
    connection.out = response(431, kPlain, "too long\n", true);
  }
  return true;
}

std::string MetricsListener::answer(std::string_view head) {
  ++requests_;
  switch (const MetricsRequest request = metrics_request_of(head)) {
    case MetricsRequest::kMetrics:
    case MetricsRequest::kHead:
      return response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text({source_}),
                      request == MetricsRequest::kMetrics);
    case MetricsRequest::kNotFound:
      return response(404, kPlain, "there is /metrics\n", true);
    case MetricsRequest::kBadMethod:
      return response(405, kPlain, "only GET\n", true);
    case MetricsRequest::kMalformed:
      break;
  }
  return response(400, kPlain, "no HTTP/1 request\n", true);
}

// False when there is no more to do for it.
bool MetricsListener::send_some(Connection& connection) {
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
  return false;
}

void MetricsListener::close_idle() {
  const MonoTime now = sys::mono_now();
  connections_.remove_if([&](const auto& it) { return now - it->opened >= options_.idle_timeout; });
  if (connections_.empty()) return;
  idle_timer_ =
      reactor_.at(connections_.front()->opened + options_.idle_timeout, [this] { close_idle(); });
}

}  // namespace timepool::net
