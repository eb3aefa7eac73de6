// Any bytes as the body of POST /v1/results: an error, or results within their limits.
#include <cstdint>

#include "base/check.h"
#include "web/results_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const auto results = web::parse_results({reinterpret_cast<const char*>(data), size});
  if (!results.ok()) {
    CHECK(!results.error().text().empty());
    return 0;
  }
  CHECK(results->size() <= service::kMaxResults);
  for (const service::ReportedResult& result : *results) {
    CHECK(result.samples.size() <= service::kMaxSamples);
    CHECK(!result.fault.empty() || !result.samples.empty());
    for (const service::ReportedSample& sample : result.samples) {
      CHECK(!sample.sample.answered() || sample.entry.offset_s.has_value());
    }
  }
  return 0;
}
