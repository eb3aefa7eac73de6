// Any bytes as the configuration of timepool-dnsd: problems with a text, or a configuration that is
// printed and read again to the same.
#include <string>

#include "base/check.h"
#include "config/dnsd.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace timepool::config;
  static const Schema<DnsdConfig> schema = dnsd_schema();
  const auto first = parse(schema, {{"input", std::string(data, data + size)}});
  if (!first.ok()) {
    CHECK(!first.error().empty());
    for (const Problem& problem : first.error()) CHECK(!problem.text.empty());
    return 0;
  }
  const auto second = parse(schema, {{"printed", print_config(schema, *first)}});
  CHECK(second.ok());
  CHECK(*second == *first);
  return 0;
}
