// MetricsListener: GET /metrics on the reactor, for daemons whose numbers belong to the thread of
// their loop: no thread and no lock beside it, and nothing in memory until somebody asks. One
// request a connection. Programs with pages and workers take net/metrics_http.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "base/result.h"
#include "net/metrics.h"
#include "net/reactor.h"
#include "net/short_connections.h"

namespace timepool::net {

struct MetricsListenerOptions {
  Endpoint listen;                                // port 0 takes any free one
  std::string setting = "[metrics] listen";       // named in errors
  std::size_t max_connections = 8;                // one more ends the oldest
  std::size_t max_request = 8192;                 // of request line and fields; beyond: 431
  Duration idle_timeout = Duration::seconds(10);  // until it is asked and has read the answer
};

class MetricsListener {
 public:
  // Errors: the setting, the address and why. `source` is called in the reactor's thread.
  static Result<std::unique_ptr<MetricsListener>> start(Reactor& reactor,
                                                        MetricsListenerOptions options,
                                                        MetricSource source);
  ~MetricsListener();

  // With its real port.
  Endpoint endpoint() const { return options_.listen; }
  std::uint64_t requests() const { return requests_; }

 private:
  class Question;

  MetricsListener(Reactor& reactor, MetricsListenerOptions options, MetricSource source);
  Result<void> listen();
  std::string answer(std::string_view head);

  MetricsListenerOptions options_;
  MetricSource source_;
  ShortConnections connections_;
  std::uint64_t requests_ = 0;
};

// What a request's head, of which the empty line was seen, asks for.
enum class MetricsRequest : std::uint8_t { kMetrics, kHead, kNotFound, kBadMethod, kMalformed };
MetricsRequest metrics_request_of(std::string_view head);

}  // namespace timepool::net
