#include "sys/system_clock.h"

#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace timepool::sys {
namespace {

constexpr double kFrequencyUnit = 1e-6 / 65536;
constexpr double kMaxFrequency = 500e-6;
// The kernel takes 900,000 to 1,100,000 divided by its ticks in a second.
constexpr double kMaxTickRate = 0.1;

double nominal_tick() {
  const long ticks = ::sysconf(_SC_CLK_TCK);
  return ticks > 0 ? std::floor((1e6 + static_cast<double>(ticks) / 2) / static_cast<double>(ticks))
                   : 10'000;
}

Result<void> adjust(timex& request, const char* what) {
  if (::clock_adjtime(CLOCK_REALTIME, &request) < 0) return fail(system_error(errno, what));
  return {};
}

ClockRate rate_of(const timex& state) {
  const double tick = nominal_tick();
  ClockRate out;
  out.rate = (static_cast<double>(state.tick) - tick) / tick +
             static_cast<double>(state.freq) * kFrequencyUnit;
  out.moved_by_others = (state.status & STA_PLL) != 0 && state.offset != 0;
  return out;
}

// Microseconds, upwards, in what the kernel takes.
long error_us(Duration error) {
  return static_cast<long>(std::clamp<std::int64_t>((error.ns() + 999) / 1000, 0, 16'000'000));
}

}  // namespace

Result<ClockRate> SystemClock::read() const {
  timex request{};
  TRY(adjust(request, "read the kernel's clock"));
  ClockRate out = rate_of(request);
  timex slew{};
  slew.modes = ADJ_OFFSET_SS_READ;
  TRY(adjust(slew, "read the kernel's clock"));
  out.moved_by_others = out.moved_by_others || slew.offset != 0;
  return out;
}

Result<ClockRate> SystemClock::set_rate(double rate) {
  const double tick = nominal_tick();
  const double wanted = std::clamp(rate, -kMaxTickRate, kMaxTickRate);
  const double ticks = std::abs(wanted) <= kMaxFrequency ? 0 : std::round(wanted * tick);
  timex request{};
  request.modes = ADJ_FREQUENCY | ADJ_TICK;
  request.tick = static_cast<long>(tick + ticks);
  request.freq = static_cast<long>(std::llround((wanted - ticks / tick) / kFrequencyUnit));
  TRY(adjust(request, "set the clock's rate"));
  return rate_of(request);
}

Result<void> SystemClock::step(Duration by) {
  // The nanoseconds are never negative.
  std::int64_t seconds = by.ns() / 1'000'000'000;
  std::int64_t rest = by.ns() % 1'000'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000'000;
  }
  timex request{};
  request.modes = ADJ_SETOFFSET | ADJ_NANO;
  request.time.tv_sec = static_cast<time_t>(seconds);
  request.time.tv_usec = static_cast<suseconds_t>(rest);
  return adjust(request, "step the clock");
}

Result<void> SystemClock::set_status(const KernelStatus& status) {
  timex request{};
  // Without STA_PLL and STA_PPSFREQ the kernel's own loops are off.
  request.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
  request.status = (status.synchronised ? 0 : STA_UNSYNC) | (status.insert_leap ? STA_INS : 0) |
                   (status.delete_leap ? STA_DEL : 0);
  request.maxerror = error_us(status.maximum_error);
  request.esterror = error_us(status.estimated_error);
  return adjust(request, "set the clock's status");
}

Result<void> SystemClock::set_tai_offset(int seconds) {
  timex request{};
  request.modes = ADJ_TAI;
  request.constant = seconds;
  return adjust(request, "set the clock's TAI offset");
}

}  // namespace timepool::sys
