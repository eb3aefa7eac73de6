// Any text as a file of health: which records are healthy, or an error with a place within the
// text.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "dns/zone/health.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  const auto file = dns::load_health({reinterpret_cast<const char*>(data), size});
  if (!file.ok()) {
    CHECK(file.error().place.line >= 1 && file.error().place.column >= 1);
    CHECK(file.error().place.line <= size + 1 && file.error().place.column <= size + 1);
    CHECK(!file.error().text.empty());
    return 0;
  }
  dns::HealthFiles files;
  files.emplace("f", std::make_shared<const dns::HealthFile>(file.value()));
  for (const auto& [key, healthy] : file.value()) {
    CHECK(dns::is_healthy("f/" + key, files) == healthy);
    CHECK(!dns::is_healthy("g/" + key, files));
  }
  return 0;
}
