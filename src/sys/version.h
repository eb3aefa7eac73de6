// What this build is: its version and its date.
#pragma once

#include <string_view>

#include "base/time.h"

namespace timepool::sys {

// "0.1.0"
std::string_view version();
// SOURCE_DATE_EPOCH or the date of the commit. RFC 8633 5.2: the floor of every clock we set.
UnixTime build_date();

}  // namespace timepool::sys
