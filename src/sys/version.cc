#include "sys/version.h"

namespace timepool::sys {

std::string_view version() {
  return TIMEPOOL_VERSION;
}

UnixTime build_date() {
  return UnixTime::from_seconds(TIMEPOOL_BUILD_EPOCH);
}

}  // namespace timepool::sys
