// The file of a zone's keys: any bytes in, as they are and under a right digest; what is read is
// written and read again to the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "dnssec/key_state.h"

namespace {

using namespace timepool::dnssec;

void check(const std::string& text) {
  const auto read = parse_state(text);
  if (!read.ok()) {
    CHECK(!describe(read.error().fault).empty());
    return;
  }
  CHECK(read->record.keys.size() <= KeyPlan::kMaxKeys);
  const auto again = parse_state(format_state(*read));
  CHECK(again.ok() && *again == *read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(text);
  check(with_digest(text + "\n"));
  return 0;
}
