#include "sys/clock.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/hex.h"
#include "sys/file.h"

namespace timepool::sys {
namespace {

// Of readings one after the other: the pair that lay closest is taken.
constexpr int kTries = 5;

std::int64_t read_ns(clockid_t id) {
  timespec time{};
  // Where there is no such clock it reads zero.
  if (::clock_gettime(id, &time) != 0) return 0;
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

MonoTime mono_now() {
  return MonoTime::from_ns(read_ns(CLOCK_MONOTONIC));
}

UnixTime unix_now() {
  return UnixTime::from_ns(read_ns(CLOCK_REALTIME));
}

ClockSample sample_clocks() {
  ClockSample best;
  Duration best_gap = Duration::max();
  for (int i = 0; i < kTries; ++i) {
    const MonoTime before = mono_now();
    const UnixTime time = unix_now();
    const Duration gap = mono_now() - before;
    if (gap < best_gap) {
      best_gap = gap;
      best = {before + gap / 2, time, Duration()};
    }
  }
  // Both run alike: what is between the two readings is below the precision that is wanted.
  const std::int64_t boot = read_ns(CLOCK_BOOTTIME);
  if (boot != 0) best.suspended = MonoTime::from_ns(boot) - mono_now();
  return best;
}

OscillatorSample sample_oscillator() {
  OscillatorSample best;
  Duration best_gap = Duration::max();
  for (int i = 0; i < kTries; ++i) {
    const MonoTime before = mono_now();
    const MonoTime oscillator = MonoTime::from_ns(read_ns(CLOCK_MONOTONIC_RAW));
    const Duration gap = mono_now() - before;
    if (gap < best_gap) {
      best_gap = gap;
      best = {oscillator, before + gap / 2};
    }
  }
  return best;
}

std::array<std::byte, 16> boot_id() {
  constexpr std::size_t kMaxText = 64;
  std::array<std::byte, 16> out{};
  Result<std::string> text = read_file("/proc/sys/kernel/random/boot_id", kMaxText);
  if (!text.ok()) return out;
  std::erase_if(*text, [](char c) { return c == '-' || c == '\n'; });
  const Result<std::vector<std::byte>> bytes = from_hex(*text);
  if (bytes.ok() && bytes->size() == out.size())
    std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

UnixTime to_unix_time(const timespec& time) {
  return UnixTime::from_seconds(time.tv_sec) + Duration::nanoseconds(time.tv_nsec);
}

timespec to_timespec(Duration duration) {
  const std::int64_t ns = std::max<std::int64_t>(duration.ns(), 0);
  timespec out{};
  out.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
  out.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  return out;
}

int measure_precision() {
  // RFC 5905 7.3: the smallest step that is seen, by reading the clock until it moves.
  constexpr int kSteps = 64;
  constexpr int kMaxReads = 100'000;
  std::int64_t smallest = 1'000'000'000;
  std::int64_t last = read_ns(CLOCK_REALTIME);
  for (int steps = 0, reads = 0; steps < kSteps && reads < kMaxReads; ++reads) {
    const std::int64_t now = read_ns(CLOCK_REALTIME);
    if (now > last) {
      smallest = std::min(smallest, now - last);
      ++steps;
    }
    last = now;
  }
  int precision = 0;
  for (std::int64_t span = 1'000'000'000; span > smallest && precision > -30; span /= 2) {
    --precision;
  }
  // The loop went one below the step; a precision must not promise more than there is.
  return std::min(precision + 1, -1);
}

}  // namespace timepool::sys
