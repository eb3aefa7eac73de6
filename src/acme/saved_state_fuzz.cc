// Any file as a saved state: no crash, and what is taken is written and read the same again.
#include <cstdint>
#include <string_view>

#include "acme/saved_state.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool::acme;
  const auto parsed = parse_state({reinterpret_cast<const char*>(data), size});
  if (!parsed.ok()) {
    CHECK(!name_of(parsed.error()).empty());
    return 0;
  }
  const std::string text = format_state(*parsed);
  const auto once = parse_state(text);
  CHECK(once.ok());
  CHECK(format_state(*once) == text);
  return 0;
}
