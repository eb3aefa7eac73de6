// Records and datagrams as other programs write them, for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "refclock/shm_record.h"
#include "refclock/sock_sample.h"

namespace timepool::refclock::testing {

// What gpsd writes; `Time` is the system's time_t.
template <class Time>
struct BasicShmTime {
  std::int32_t mode = 1;
  std::int32_t count = 0;
  Time clock_sec = 1'790'000'000;
  std::int32_t clock_usec = 0;
  Time receive_sec = 1'790'000'000;
  std::int32_t receive_usec = 250'000;
  std::int32_t leap = 0;
  std::int32_t precision = -20;
  std::int32_t nsamples = 0;
  std::int32_t valid = 1;
  std::uint32_t clock_nsec = 0;
  std::uint32_t receive_nsec = 250'000'000;
  std::int32_t dummy[8]{};

  static constexpr bool is_laid_out_as(const ShmLayout& layout) {
    return sizeof(BasicShmTime) == layout.size && offsetof(BasicShmTime, leap) == layout.leap &&
           offsetof(BasicShmTime, valid) == layout.valid &&
           offsetof(BasicShmTime, receive_nsec) == layout.receive_nsec;
  }
};
// Of a 64-bit system, and of a 32-bit one.
using ShmTime = BasicShmTime<std::int64_t>;
static_assert(ShmTime::is_laid_out_as(kShmWide));
using NarrowShmTime = BasicShmTime<std::int32_t>;
static_assert(NarrowShmTime::is_laid_out_as(kShmNarrow));

template <class Time>
struct Sock {
  Time sec = 1'790'000'000;
  Time usec = 123'456;
  double offset = -0.25;
  std::int32_t pulse = 0;
  std::int32_t leap = 0;
  std::int32_t pad = 0;
  std::int32_t magic = kSockMagic;
};
using WideSock = Sock<std::int64_t>;
static_assert(sizeof(WideSock) == kSockWideSize);
// The double is aligned to 4 on i386 and stands at 8 either way.
using NarrowSock = Sock<std::int32_t>;
static_assert(sizeof(NarrowSock) == kSockNarrowSize);

template <class T>
std::vector<std::byte> octets_of(const T& value) {
  std::vector<std::byte> out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

}  // namespace timepool::refclock::testing
