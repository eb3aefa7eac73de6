// Any octets as the configuration of timepool-ntpd (config/fuzzing.h).
#include "config/ntpd.h"

#include "config/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace timepool::config;
  static const Schema<NtpdConfig> schema = ntpd_schema();
  fuzzing::check_settings(schema, data, size);
  return 0;
}
