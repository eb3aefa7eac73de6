// RingBuffer<T, N>: the last N values in the order they came; a push into a full one drops the
// oldest. Index 0 is the oldest.
#pragma once

#include <array>
#include <cstddef>

#include "base/check.h"

namespace timepool {

template <class T, std::size_t N>
class RingBuffer {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear() { size_ = 0; }

  void push_back(const T& value) {
    items_[(first_ + size_) % N] = value;
    if (size_ < N) {
      ++size_;
    } else {
      first_ = (first_ + 1) % N;
    }
  }
  T& operator[](std::size_t index) {
    CHECK(index < size_);
    return items_[(first_ + index) % N];
  }
  const T& operator[](std::size_t index) const {
    CHECK(index < size_);
    return items_[(first_ + index) % N];
  }
  const T& back() const { return (*this)[size_ - 1]; }

 private:
  std::array<T, N> items_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace timepool
