// Unpredictable bytes from the kernel: packet timestamps, ports, keys.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/random_source.h"

namespace timepool::sys {

// Never fails: waits at boot until the kernel has entropy, and CHECKs otherwise.
void fill_random(MutableBytes out);
std::uint64_t random_u64();

// The same for pure cores. Any number of threads may use one.
class KernelRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) override { fill_random(out); }
};

}  // namespace timepool::sys
