// StaticVector<T, N>: up to N values in place, no allocation. A push into a full one is refused and
// says so; nothing grows without a bound.
#pragma once

#include <array>
#include <cstddef>

#include "base/check.h"

namespace timepool {

template <class T, std::size_t N>
class StaticVector {
 public:
  static constexpr std::size_t kCapacity = N;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == N; }
  void clear() { size_ = 0; }

  // False, and nothing changes, when it is full.
  [[nodiscard]] bool push_back(const T& value) {
    if (full()) return false;
    items_[size_++] = value;
    return true;
  }
  void pop_back() {
    CHECK(size_ > 0);
    --size_;
  }
  // Removes the value at `index` and puts the last one in its place.
  void swap_remove(std::size_t index) {
    CHECK(index < size_);
    items_[index] = items_[--size_];
  }

  T& operator[](std::size_t index) {
    CHECK(index < size_);
    return items_[index];
  }
  const T& operator[](std::size_t index) const {
    CHECK(index < size_);
    return items_[index];
  }
  T& back() { return (*this)[size_ - 1]; }
  const T& back() const { return (*this)[size_ - 1]; }

  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

}  // namespace timepool
