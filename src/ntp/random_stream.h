// RandomStream: numbers that a stranger cannot guess, from a key that the caller drew at random:
// SipHash-2-4 of a counter. Who sees some of the numbers (transmit timestamps travel in the clear)
// learns nothing about the others. Cores take it as an argument, so a simulation repeats exactly.
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_writer.h"
#include "base/siphash.h"

namespace timepool::ntp {

class RandomStream {
 public:
  explicit RandomStream(const SiphashKey& key) : key_(key) {}

  std::uint64_t next() {
    std::array<std::byte, 8> buffer{};
    ByteWriter writer(buffer);
    writer.u64(counter_++);
    return siphash24(key_, buffer);
  }
  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, bound), with a bias below bound / 2^64; 0 when bound is 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  SiphashKey key_;
  std::uint64_t counter_ = 0;
};

}  // namespace timepool::ntp
