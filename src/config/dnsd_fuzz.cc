// Any octets as the configuration of timepool-dnsd (config/fuzzing.h).
#include "config/dnsd.h"

#include "config/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace timepool::config;
  static const Schema<DnsdConfig> schema = dnsd_schema();
  fuzzing::check_settings(schema, data, size);
  return 0;
}
