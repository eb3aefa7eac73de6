// RandomSource: octets that nobody can guess, for cores that draw none themselves. In the programs
// they are the kernel's (sys/random.h). RandomPool gives them out of blocks, so that a packet costs
// no system call. One object is one thread's.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/byte_reader.h"

namespace timepool {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual void fill(MutableBytes out) = 0;
};

class RandomPool final : public RandomSource {
 public:
  // Octets fetched at once.
  static constexpr std::size_t kBlock = 4096;

  // `source` outlives it.
  explicit RandomPool(RandomSource& source) : source_(source) {}

  void fill(MutableBytes out) override {
    while (!out.empty()) {
      if (left_ == 0) {
        source_.fill(block_);
        left_ = kBlock;
      }
      const std::size_t count = std::min(left_, out.size());
      const MutableBytes taken = MutableBytes(block_).subspan(kBlock - left_, count);
      std::copy(taken.begin(), taken.end(), out.begin());
      // What was given out is to be found nowhere else.
      std::fill(taken.begin(), taken.end(), std::byte{0});
      left_ -= count;
      out = out.subspan(count);
    }
  }

 private:
  RandomSource& source_;
  std::size_t left_ = 0;
  std::array<std::byte, kBlock> block_{};
};

}  // namespace timepool
