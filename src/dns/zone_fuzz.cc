// Any text as a zone document: a zone, or an error with a place within the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dns/zone.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto zone = timepool::dns::load_zone(text, "pool.test", 1);
  if (!zone.ok()) {
    CHECK(zone.error().place.line >= 1 && zone.error().place.column >= 1);
    CHECK(zone.error().place.line <= size + 1 && zone.error().place.column <= size + 1);
    CHECK(!zone.error().text.empty());
  } else {
    for (const auto& label : zone->labels) CHECK(zone->find(label.name) == &label);
  }
  return 0;
}
