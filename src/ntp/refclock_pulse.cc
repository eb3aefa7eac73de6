#include "ntp/refclock_pulse.h"

#include "base/check.h"

namespace timepool::ntp {

PulseAlignment align_pulse(UnixTime local, int rate, const PulseReference& reference) {
  CHECK(rate >= 1 && rate <= kMaxPulseRate);
  constexpr std::int64_t kSecond = 1'000'000'000;
  const UnixTime expected = local + reference.offset;
  // Where in its second the reference sees the pulse, then in which part. Parts are numbered from
  // the second's beginning so that rates that don't divide a second's nanoseconds don't drift.
  const std::int64_t within = expected.ns() - expected.seconds() * kSecond;
  const std::int64_t part = (within * rate + kSecond / 2) / kSecond;
  const std::int64_t start = (part * kSecond + rate / 2) / rate;
  const Duration residual = Duration::nanoseconds(start - within);
  const Duration period = Duration::nanoseconds(kSecond / rate);
  PulseAlignment out;
  out.offset = reference.offset + residual;
  const bool clear =
      residual.abs() * 5 <= period * 2 && residual.abs() + reference.bound < period / 2;
  if (clear) out.reason = RefclockReason::kAccepted;
  return out;
}

}  // namespace timepool::ntp
