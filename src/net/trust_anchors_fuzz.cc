// Any text as a file of trust anchors: records that read again as they are, or an error that says
// where.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/trust_anchors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  const auto records = net::parse_trust_anchors({reinterpret_cast<const char*>(data), size});
  if (!records.ok()) {
    CHECK(records.error().code == ErrorCode::kInvalid && !records.error().text().empty());
    return 0;
  }
  CHECK(!records->empty() && records->size() <= net::kMaxAnchors);
  std::string text;
  for (const std::string& record : *records) {
    // libunbound is given each as one line.
    CHECK(record.find_first_of(";\n\r") == std::string::npos);
    text += record + "\n";
  }
  const auto again = net::parse_trust_anchors(text);
  CHECK(again.ok() && *again == *records);
  return 0;
}
