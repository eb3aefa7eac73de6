// Whether an address block reaches into the public internet.
#pragma once

#include "base/ip.h"

namespace timepool {

// Some address in it is one by IpAddress::is_global_unicast().
bool holds_public_address(const Prefix& prefix);

}  // namespace timepool
