// MD5 (RFC 1321): only where a protocol names things by it, never to protect anything.
#pragma once

#include <array>
#include <cstddef>

#include "base/byte_reader.h"

namespace timepool {

std::array<std::byte, 16> md5(Bytes data);

}  // namespace timepool
