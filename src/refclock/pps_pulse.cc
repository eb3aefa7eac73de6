#include "refclock/pps_pulse.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

UnixTime time_of(const pps_ktime& time) {
  return UnixTime::from_seconds(time.sec) + Duration::nanoseconds(time.nsec);
}

}  // namespace

Look PpsPulse::look(const pps_kinfo& info) {
  const bool assert_edge = edge_ == PulseEdge::kAssert;
  // RFC 2783 3.2: the sequence number goes up by one with each edge, and wraps.
  const std::uint32_t sequence = assert_edge ? info.assert_sequence : info.clear_sequence;
  const UnixTime begin = time_of(assert_edge ? info.assert_tu : info.clear_tu);
  const UnixTime end = time_of(assert_edge ? info.clear_tu : info.assert_tu);
  Look out;
  if (!seen_ || sequence == sequence_) {
    seen_ = true;
    sequence_ = sequence;
    return out;
  }
  if (min_width_ > Duration()) {
    // The pulse is not over: its width is known at the next look.
    if (end < begin) return out;
    out.reason =
        end - begin < min_width_ ? RefclockReason::kNarrowPulse : RefclockReason::kAccepted;
  } else {
    out.reason = RefclockReason::kAccepted;
  }
  sequence_ = sequence;
  out.reading.local = begin;
  out.reading.pulse = true;
  return out;
}

}  // namespace timepool::refclock
