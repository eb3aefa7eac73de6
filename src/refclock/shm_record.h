// ShmRecord: the record of NTP's shared memory and how it is read while another program writes it.
//
//   struct shmTime { int mode, count; time_t clock_sec; int clock_usec; time_t receive_sec;
//                    int receive_usec, leap, precision, nsamples, valid;
//                    unsigned clock_nsec, receive_nsec; int dummy[8]; }
//
// The writer in mode 1 adds one to `count` before and after it writes; in mode 0 it writes only
// while `valid` is zero. Either way it clears `valid` first and sets it last, and the reader clears
// it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "refclock/driver.h"

namespace timepool::refclock {

// Where the fields are, which depends on what the writer's time_t is.
struct ShmLayout {
  std::size_t size;
  bool wide;  // time_t has 64 bits
  std::size_t clock_sec, clock_usec, receive_sec, receive_usec, leap, valid, clock_nsec,
      receive_nsec;
};
inline constexpr std::size_t kShmMode = 0;
inline constexpr std::size_t kShmCount = 4;
// All 64-bit systems, and 32-bit ones where a 64-bit time_t is aligned to 8.
inline constexpr ShmLayout kShmWide{96, true, 8, 16, 24, 32, 36, 48, 52, 56};
// 32-bit systems with a 32-bit time_t.
inline constexpr ShmLayout kShmNarrow{80, false, 8, 12, 16, 20, 24, 36, 40, 44};
inline constexpr std::size_t kShmMaxSize = kShmWide.size;

// The layout of a segment of this size; null when it is none that we know.
const ShmLayout* shm_layout_of(std::size_t segment_size);

// Judges a record that was copied whole.
Look parse_shm_record(Bytes record, const ShmLayout& layout);

// One look at a segment of layout.size octets, aligned to 8, that others may be writing. A reading
// is taken at most once: `valid` is cleared.
Look read_shm_segment(std::byte* segment, const ShmLayout& layout);

}  // namespace timepool::refclock
