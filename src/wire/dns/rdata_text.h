// Pieces of the presentation format (RFC 1035 5.1) that several types share.
#pragma once

#include <string>

#include "base/byte_reader.h"

namespace timepool::wire::dns {

// In double quotes; \" and \\ escaped, \DDD for what is not printable.
std::string quoted(Bytes bytes);

}  // namespace timepool::wire::dns
