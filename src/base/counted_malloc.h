// For tests of paths that must not allocate: malloc, realloc and calloc are replaced by ones that
// count. To be included by one source of a test program. Where a sanitizer has its own allocator
// TIMEPOOL_COUNTS_MALLOC is not defined, and such a test is skipped.
#pragma once

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TIMEPOOL_COUNTS_MALLOC 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#undef TIMEPOOL_COUNTS_MALLOC
#endif
#endif

#ifdef TIMEPOOL_COUNTS_MALLOC
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_realloc(void* pointer, std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
// NOLINTBEGIN: these are libc's own names.
void* malloc(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* realloc(void* pointer, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(pointer, size);
}
void* calloc(std::size_t count, std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
// NOLINTEND
}
#endif
