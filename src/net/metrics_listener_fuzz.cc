// The head of a request to /metrics: any bytes give a verdict, and only one that asks for /metrics
// by GET or HEAD is answered with metrics.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/metrics_listener.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool::net;
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  const MetricsRequest request = metrics_request_of(head);
  if (request == MetricsRequest::kMetrics) CHECK(head.starts_with("GET /metrics"));
  if (request == MetricsRequest::kHead) CHECK(head.starts_with("HEAD /metrics"));
  return 0;
}
