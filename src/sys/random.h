// Unpredictable bytes from the kernel: packet timestamps, ports, keys.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"

namespace timepool::sys {

// Never fails: waits at boot until the kernel has entropy, and CHECKs otherwise.
void fill_random(MutableBytes out);
std::uint64_t random_u64();

}  // namespace timepool::sys
