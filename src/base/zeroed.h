// Zeroed<T>: an array of zeros that takes memory only where it is written to, aligned to a cache
// line: the tables of a server that few ask stay small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>

#include "base/check.h"

namespace timepool {

struct FreeZeroed {
  void* block = nullptr;
  void operator()(const void*) const { std::free(block); }
};

template <class T>
using Zeroed = std::unique_ptr<T[], FreeZeroed>;

// CHECKs that there is memory.
template <class T>
Zeroed<T> make_zeroed(std::size_t count) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  constexpr std::size_t kLine = 64;
  // calloc, not aligned_alloc: fresh pages are zero already and stay untouched.
  void* const block = std::calloc(count + kLine / sizeof(T) + 1, sizeof(T));
  CHECK(block != nullptr);
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t aligned = (address + kLine - 1) / kLine * kLine;
  T* const first = reinterpret_cast<T*>(static_cast<std::byte*>(block) + (aligned - address));
  return Zeroed<T>(first, FreeZeroed{block});
}

}  // namespace timepool
