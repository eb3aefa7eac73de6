// The system's clocks. Only clock_gettime of libc is used, so that a simulator can stand in.
#pragma once

#include <array>
#include <cstddef>
#include <ctime>

#include "base/time.h"

namespace timepool::sys {

// CLOCK_MONOTONIC: never steps, is slewed with the system clock.
MonoTime mono_now();
// CLOCK_REALTIME.
UnixTime unix_now();

// Both clocks as near together as can be read.
struct ClockSample {
  MonoTime mono;
  UnixTime unix_time;
  // CLOCK_BOOTTIME less CLOCK_MONOTONIC: how long the machine was suspended. Zero where the system
  // does not know it.
  Duration suspended;
};
// The pair of readings that lay closest together of a few tries; `mono` is the middle of the two
// monotonic readings around the other.
ClockSample sample_clocks();

// The clock that follows the oscillator alone, whatever rate the others are given: it stands still
// in a suspend.
struct OscillatorSample {
  MonoTime oscillator;  // CLOCK_MONOTONIC_RAW; zero where the system has none
  MonoTime mono;
};
// As sample_clocks().
OscillatorSample sample_oscillator();

// The run of the kernel, as 16 octets; zeros where the system does not tell. Linux:
// /proc/sys/kernel/random/boot_id.
std::array<std::byte, 16> boot_id();

UnixTime to_unix_time(const timespec& time);
timespec to_timespec(Duration duration);

// log2 of the seconds that reading CLOCK_REALTIME takes, at least its resolution: RFC 5905 7.3
// "precision", for example -23. Takes some microseconds to measure.
int measure_precision();

}  // namespace timepool::sys
