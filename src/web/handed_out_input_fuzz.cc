// Any bytes as the body of POST /v1/handed-out: an error, or counts within their limits.
#include <cstdint>

#include "base/check.h"
#include "web/handed_out_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const auto counts = web::parse_handed_out({reinterpret_cast<const char*>(data), size});
  if (!counts.ok()) {
    CHECK(!counts.error().text().empty());
    return 0;
  }
  CHECK(counts->size() <= service::kMaxHandedOutCounts);
  for (const service::HandedOutCount& it : *counts) {
    CHECK(it.count >= 1 && it.count <= service::kMaxHandedOut);
    CHECK(it.address == it.address.unmapped());
  }
  return 0;
}
