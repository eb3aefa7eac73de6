#include "refclock/shm_record.h"

#include <atomic>
#include <cstring>

#include "base/check.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

// The writer is on this machine: native byte order.
template <class T>
T load(Bytes bytes, std::size_t at) {
  T out{};
  std::memcpy(&out, bytes.subspan(at).data(), sizeof out);
  return out;
}

std::int64_t load_time(Bytes record, std::size_t at, bool wide) {
  return wide ? load<std::int64_t>(record, at) : load<std::int32_t>(record, at);
}

// Nanoseconds where they go with the microseconds, which old writers alone set.
std::int64_t fraction_ns(std::int32_t usec, std::uint32_t nsec) {
  const std::int64_t coarse = std::int64_t{usec} * 1000;
  return static_cast<std::int64_t>(nsec / 1000) == usec ? nsec : coarse;
}

// Whether UnixTime can hold it: years 1678 to 2262.
bool seconds_fit(std::int64_t seconds) {
  constexpr std::int64_t kMost = 9'223'372'035;
  return seconds >= -kMost && seconds <= kMost;
}

bool usec_fits(std::int32_t usec) {
  return usec >= 0 && usec < 1'000'000;
}

std::atomic_ref<std::int32_t> word(std::byte* segment, std::size_t at) {
  return std::atomic_ref<std::int32_t>(*reinterpret_cast<std::int32_t*>(segment + at));
}

// In words, so that none is half of one writing and half of another.
std::array<std::byte, kShmMaxSize> copy_of(std::byte* segment, const ShmLayout& layout) {
  std::array<std::byte, kShmMaxSize> out{};
  for (std::size_t at = 0; at < layout.size; at += sizeof(std::int32_t)) {
    const std::int32_t value = word(segment, at).load(std::memory_order_relaxed);
    std::memcpy(out.data() + at, &value, sizeof value);
  }
  return out;
}

}  // namespace

const ShmLayout* shm_layout_of(std::size_t segment_size) {
  if (segment_size >= kShmWide.size) return &kShmWide;
  return segment_size == kShmNarrow.size ? &kShmNarrow : nullptr;
}

Look parse_shm_record(Bytes record, const ShmLayout& layout) {
  CHECK(record.size() >= layout.size);
  const auto mode = load<std::int32_t>(record, kShmMode);
  const auto leap = load<std::int32_t>(record, layout.leap);
  const std::int64_t clock_sec = load_time(record, layout.clock_sec, layout.wide);
  const std::int64_t receive_sec = load_time(record, layout.receive_sec, layout.wide);
  const auto clock_usec = load<std::int32_t>(record, layout.clock_usec);
  const auto receive_usec = load<std::int32_t>(record, layout.receive_usec);
  const bool sound = (mode == 0 || mode == 1) && leap >= 0 && leap <= 3 && seconds_fit(clock_sec) &&
                     seconds_fit(receive_sec) && usec_fits(clock_usec) && usec_fits(receive_usec);
  Look out;
  out.reason = RefclockReason::kBadField;
  if (!sound) return out;
  out.reason = RefclockReason::kUnsynchronised;
  if (leap == 3) return out;
  const auto clock_nsec = load<std::uint32_t>(record, layout.clock_nsec);
  const auto receive_nsec = load<std::uint32_t>(record, layout.receive_nsec);
  const UnixTime clock = UnixTime::from_seconds(clock_sec) +
                         Duration::nanoseconds(fraction_ns(clock_usec, clock_nsec));
  out.reading.local = UnixTime::from_seconds(receive_sec) +
                      Duration::nanoseconds(fraction_ns(receive_usec, receive_nsec));
  out.reading.offset = clock - out.reading.local;
  out.reading.leap = static_cast<wire::ntp::Leap>(leap);
  const bool too_large = out.reading.offset.abs() > ntp::kMaxRefclockOffset;
  out.reason = too_large ? RefclockReason::kTooLarge : RefclockReason::kAccepted;
  return out;
}

Look read_shm_segment(std::byte* segment, const ShmLayout& layout) {
  Look out;
  if (word(segment, layout.valid).load(std::memory_order_acquire) == 0) return out;
  const std::int32_t before = word(segment, kShmCount).load(std::memory_order_acquire);
  const auto record = copy_of(segment, layout);
  std::atomic_thread_fence(std::memory_order_acquire);
  const std::int32_t after = word(segment, kShmCount).load(std::memory_order_relaxed);
  // Writers clear it before they write: a look in the middle of a writing sees one count only.
  const bool still_valid = word(segment, layout.valid).load(std::memory_order_relaxed) != 0;
  word(segment, layout.valid).store(0, std::memory_order_release);
  const bool changed = load<std::int32_t>(record, kShmMode) == 1 && before != after;
  if (changed || !still_valid) {
    out.reason = RefclockReason::kTorn;
    return out;
  }
  return parse_shm_record(record, layout);
}

}  // namespace timepool::refclock
