#include "ntp/four_times.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;

// How late the kernel may stamp a packet after we made it.
constexpr Duration kMaxSendDelay = Duration::seconds(1);
// A device's clock is mapped to ours with an error.
constexpr Duration kStampSlack = Duration::microseconds(10);
// Two clocks that run apart and are read in steps can make a fast exchange look a little negative.
constexpr Duration kDelaySlack = Duration::milliseconds(1);

// Against the time of receiving: the transmit timestamp of interleaved mode is an older one.
bool has_future_reference(const Header& header) {
  return !header.reference.is_zero() && header.transmit - header.reference < Duration() &&
         header.receive - header.reference < Duration();
}

// Whether the server's part of the exchange fits into the whole, which is known to `slack`.
ReplyReason judge_trip(Duration total, Duration server, Duration slack) {
  if (total < -slack) return ReplyReason::kTooEarly;
  const bool fits = server >= -slack && server <= total + slack;
  return fits ? ReplyReason::kAccepted : ReplyReason::kBogusTimes;
}

}  // namespace

void take_claims(const Header& header, Sample& sample) {
  sample.leap = header.leap;
  sample.version = header.version;
  sample.stratum = header.stratum;
  sample.poll = header.poll;
  sample.precision = header.precision;
  sample.reference_id = header.reference_id;
  sample.reference_time = header.reference;
  sample.root_delay = to_duration(header.root_delay);
  sample.root_dispersion = to_duration(header.root_dispersion);
}

bool claims_no_time(const Header& header) {
  return header.leap == Leap::kUnsynchronised || header.stratum == 0 ||
         header.stratum >= wire::ntp::kMaxStratum;
}

ReplyReason judge_sample(const Header& header, const Sample& sample, const ExchangeConfig& config) {
  if (claims_no_time(header)) return ReplyReason::kUnsynchronised;
  if (has_future_reference(header)) return ReplyReason::kFutureReference;
  if (sample.delay > config.max_delay) return ReplyReason::kTooDelayed;
  if (sample.root_distance() > config.max_distance) return ReplyReason::kTooDistant;
  return ReplyReason::kAccepted;
}

bool is_possible_send(const TransmitStamp& stamp, UnixTime made) {
  return stamp.sent >= made - kStampSlack - stamp.error && stamp.sent <= made + kMaxSendDelay;
}

Duration exp2_seconds(int exponent) {
  if (exponent >= 33) return Duration::max();
  if (exponent >= 0) return Duration::seconds(std::int64_t{1} << exponent);
  if (exponent <= -30) return Duration::nanoseconds(1);
  return Duration::seconds(1) / (std::int64_t{1} << -exponent);
}

Duration drift_over(Duration span, std::int64_t clock_error_ppb) {
  const Duration age = std::max(span, Duration());
  // Split so that neither product overflows: whole seconds, then the rest.
  const std::int64_t seconds = age.ns() / 1'000'000'000;
  const std::int64_t rest = age.ns() % 1'000'000'000;
  return Duration::nanoseconds(clock_error_ppb) * seconds +
         Duration::nanoseconds(rest * clock_error_ppb / 1'000'000'000);
}

void measure(const FourTimes& times, const Header& header, const ExchangeConfig& config,
             const ClockPace& pace, Reply& out) {
  const Duration total = times.t4 - times.t1.sent;
  const Duration drift = drift_over(total, pace.error_ppb);
  const Duration gained = Duration::from_seconds(pace.frequency * total.to_seconds());
  const Duration server = header.transmit - times.t2;
  out.reason = judge_trip(total + gained, server, std::max(kDelaySlack, drift));
  if (out.reason != ReplyReason::kAccepted) return;
  Sample& sample = out.sample;
  const Duration forth = times.t2 - to_ntp(times.t1.sent);
  const Duration back = header.transmit - to_ntp(times.t4);
  const Duration clock = exp2_seconds(config.precision);
  const auto error_of = [&](StampSource source, Duration error) {
    return source == StampSource::kHardware ? error : std::max(clock, error);
  };
  const Duration resolution = std::max(error_of(times.t1.source, times.t1.error),
                                       error_of(times.t4_source, times.t4_error));
  sample.at = times.at;
  sample.offset = forth / 2 + back / 2 + gained / 2;
  sample.delay = std::max({total + gained - server, resolution, Duration::nanoseconds(1)});
  sample.dispersion = resolution + exp2_seconds(header.precision) + drift;
  sample.response = server;
  sample.sent_by = times.t1.source;
  sample.received_by = times.t4_source;
  out.has_times = true;
}

}  // namespace timepool::ntp
