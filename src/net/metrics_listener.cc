#include "net/metrics_listener.h"

#include <utility>

#include "net/http_message.h"
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

// Reads a head and answers it.
class MetricsListener::Question final : public ShortConnections::Dialogue {
 public:
  explicit Question(MetricsListener& listener) : listener_(listener) {}
  bool take(Bytes octets, std::string& out) override {
    head_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    const std::size_t most = listener_.options_.max_request;
    const std::size_t end = head_.find(kEndOfHead);
    if (end != std::string::npos && end <= most) {
      out = listener_.answer(std::string_view(head_).substr(0, end));
      return false;
    }
    if (head_.size() <= most) return true;
    out = response(431, kPlain, "too long\n", true);
    return false;
  }

 private:
  MetricsListener& listener_;
  std::string head_;
};

MetricsListener::MetricsListener(Reactor& reactor, MetricsListenerOptions options,
                                 MetricSource source)
    : options_(std::move(options)),
      source_(std::move(source)),
      connections_(reactor, {options_.max_connections, options_.idle_timeout},
                   [this] { return std::make_unique<Question>(*this); }) {}

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
  connections_.start(std::move(listener));
  return {};
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

}  // namespace timepool::net
