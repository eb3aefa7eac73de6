#include "ntp/exchange.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;

// How late the kernel may stamp a packet after we made it.
constexpr Duration kMaxSendDelay = Duration::seconds(1);
// Two clocks that run apart and are read in steps can make a fast exchange look a little negative.
constexpr Duration kDelaySlack = Duration::milliseconds(1);

// B23: everything but version, mode and the random transmit timestamp is zero.
Header request_header(std::uint8_t version, NtpTimestamp cookie) {
  Header out;
  out.version = version;
  out.mode = Mode::kClient;
  out.transmit = cookie;
  return out;
}

void take_claims(const Header& header, Sample& sample) {
  sample.leap = header.leap;
  sample.version = header.version;
  sample.stratum = header.stratum;
  sample.poll = header.poll;
  sample.precision = header.precision;
  sample.reference_id = header.reference_id;
  sample.root_delay = to_duration(header.root_delay);
  sample.root_dispersion = to_duration(header.root_dispersion);
  sample.kiss = wire::ntp::kiss_code(header.stratum, header.reference_id);
}

struct RoundTrip {
  Duration total;   // T4 - T1
  Duration server;  // T3 - T2
};

// RFC 5905 8: the four timestamps. T1 and T4 are ours, T2 and T3 the server's; differences across
// the two clocks are modulo an era and right while they are within 68 years.
RoundTrip measure(const Header& header, UnixTime t1, UnixTime t4, Sample& sample) {
  const Duration forth = header.receive - to_ntp(t1);
  const Duration back = header.transmit - to_ntp(t4);
  sample.offset = forth / 2 + back / 2;
  return {t4 - t1, header.transmit - header.receive};
}

ReplyReason reason_of_kiss(wire::ntp::KissCode kiss) {
  switch (kiss) {
    case wire::ntp::KissCode::kRate:
      return ReplyReason::kKissRate;
    case wire::ntp::KissCode::kDeny:
      return ReplyReason::kKissDeny;
    case wire::ntp::KissCode::kRstr:
      return ReplyReason::kKissRstr;
    case wire::ntp::KissCode::kNtsn:
    case wire::ntp::KissCode::kOther:
    case wire::ntp::KissCode::kNone:
      break;
  }
  return ReplyReason::kKissOther;
}

bool claims_no_time(const Header& header) {
  return header.leap == Leap::kUnsynchronised || header.stratum == 0 ||
         header.stratum >= wire::ntp::kMaxStratum;
}

bool has_future_reference(const Header& header) {
  return !header.reference.is_zero() && header.transmit - header.reference < Duration();
}

// Once the times are measured: the first rule that the reply breaks.
ReplyReason judge_times(const Header& header, const RoundTrip& trip, const Sample& sample,
                        const ExchangeConfig& config) {
  if (trip.server < -kDelaySlack || trip.server > trip.total + kDelaySlack) {
    return ReplyReason::kBogusTimes;
  }
  if (claims_no_time(header)) return ReplyReason::kUnsynchronised;
  if (has_future_reference(header)) return ReplyReason::kFutureReference;
  if (sample.delay > config.max_delay) return ReplyReason::kTooDelayed;
  if (sample.root_distance() > config.max_distance) return ReplyReason::kTooDistant;
  return ReplyReason::kAccepted;
}

}  // namespace

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

bool Exchange::start(LocalTime now, RandomStream& random, Authenticator& authenticator,
                     ByteWriter& out) {
  waiting_ = false;
  answered_ = false;
  // Zero would be met by any server's reply to a request without a transmit timestamp.
  std::uint64_t bits = random.next();
  while (bits == 0) bits = random.next();
  cookie_ = NtpTimestamp::from_bits(bits);
  wire::ntp::write_header(request_header(config_.version, cookie_), out);
  if (!authenticator.protect(out, random) || !out.ok()) return false;
  waiting_ = true;
  started_ = now;
  sent_ = now.unix;
  return true;
}

void Exchange::handle_transmit_timestamp(UnixTime sent) {
  if (!waiting_ || sent < started_.unix || sent > started_.unix + kMaxSendDelay) return;
  sent_ = sent;
}

ReplyReason Exchange::judge_origin(const Header& header) const {
  if (header.mode != Mode::kServer) return ReplyReason::kWrongMode;
  if (header.version > config_.version) return ReplyReason::kWrongVersion;
  if (header.origin.is_zero()) return ReplyReason::kZeroOrigin;
  if (answered_ && header.origin == cookie_) return ReplyReason::kDuplicate;
  if (!waiting_) return ReplyReason::kUnsolicited;
  return header.origin == cookie_ ? ReplyReason::kAccepted : ReplyReason::kWrongOrigin;
}

Reply Exchange::handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator) {
  Reply out;
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) {
    out.reason = reply_reason_of(packet.error());
    return out;
  }
  const Header& header = packet->header;
  out.reason = judge_origin(header);
  if (out.reason != ReplyReason::kAccepted) return out;
  switch (authenticator.check(*packet, datagram)) {
    case AuthVerdict::kAuthentic:
      break;
    case AuthVerdict::kNak:
      out.reason = ReplyReason::kCryptoNak;
      return out;
    case AuthVerdict::kNotAuthentic:
      out.reason = ReplyReason::kNotAuthentic;
      return out;
  }
  waiting_ = false;
  answered_ = true;
  out.sample.at = rx.now;
  take_claims(header, out.sample);
  if (out.sample.kiss != wire::ntp::KissCode::kNone) {
    out.reason = reason_of_kiss(out.sample.kiss);
  } else if (stepped_between(started_, rx.now)) {
    out.reason = ReplyReason::kLocalClockStepped;
  } else if (header.receive.is_zero() || header.transmit.is_zero()) {
    out.reason =
        claims_no_time(header) ? ReplyReason::kUnsynchronised : ReplyReason::kZeroTimestamp;
  } else {
    const RoundTrip trip = measure(header, sent_, rx.received, out.sample);
    const Duration resolution = exp2_seconds(config_.precision);
    out.sample.delay = std::max(trip.total - trip.server, resolution);
    out.sample.dispersion = resolution + exp2_seconds(header.precision) +
                            drift_over(trip.total, config_.clock_error_ppb);
    out.reason = judge_times(header, trip, out.sample, config_);
    out.has_times = out.reason != ReplyReason::kBogusTimes;
  }
  return out;
}

}  // namespace timepool::ntp
