#include "ntp/exchange.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;

// A server's clock that is slewed or stepped by less has not gone back to the past.
constexpr Duration kStaleSlack = Duration::seconds(1);
// B32: the poll that a RATE packet names is taken for honest up to the limit of B30.
constexpr std::int8_t kLongestRatePoll = 13;

NtpTimestamp random_timestamp(RandomStream& random) {
  // Zero would be met by any server's reply to a request without a timestamp.
  std::uint64_t bits = random.next();
  while (bits == 0) bits = random.next();
  return NtpTimestamp::from_bits(bits);
}

ReplyReason reason_of_kiss(wire::ntp::KissCode kiss, std::int8_t poll) {
  switch (kiss) {
    case wire::ntp::KissCode::kRate:
      return poll > kLongestRatePoll ? ReplyReason::kKissRateLong : ReplyReason::kKissRate;
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

}  // namespace

// B23: everything but version, mode and the random timestamps is zero. RFC 9769 2: an interleaved
// request names the server's last time of receiving as its origin, and is answered by its receive
// timestamp, which may be random like the other.
void Exchange::write_request(NtpTimestamp transmit, ByteWriter& out) {
  Header header;
  header.version = config_.version;
  header.mode = Mode::kClient;
  header.transmit = transmit;
  if (interleaved_) {
    header.origin = previous_.four.t2;
    header.receive = receive_cookie_;
  }
  wire::ntp::write_header(header, out);
}

void Exchange::abandon() {
  if (waiting_ || answered_) {
    history_.add(transmit_cookie_, interleaved_ ? receive_cookie_ : NtpTimestamp(),
                 answered_ ? RequestFate::kAnswered : RequestFate::kUnanswered);
  }
  waiting_ = false;
  answered_ = false;
  previous_is_last_ = false;
}

bool Exchange::start(LocalTime now, RandomStream& random, Authenticator& authenticator,
                     ByteWriter& out) {
  abandon();
  stepped_ = false;
  interleaved_ = config_.interleaved && previous_.known && in_vain_ < kMaxInterleavedInVain;
  in_vain_ = interleaved_ ? in_vain_ + 1 : 0;
  transmit_cookie_ = random_timestamp(random);
  do {
    receive_cookie_ = random_timestamp(random);
  } while (receive_cookie_ == transmit_cookie_);
  write_request(transmit_cookie_, out);
  if (!authenticator.protect(out, random) || !out.ok()) return false;
  waiting_ = true;
  started_ = now;
  sent_ = {now.raw, StampSource::kProgram, Duration()};
  return true;
}

bool Exchange::warm_up(RandomStream& random, Authenticator& authenticator, ByteWriter& out) {
  const NtpTimestamp cookie = random_timestamp(random);
  Header header;
  header.version = config_.version;
  header.mode = Mode::kClient;
  header.transmit = cookie;
  wire::ntp::write_header(header, out);
  if (!authenticator.protect(out, random) || !out.ok()) return false;
  history_.add(cookie, {}, RequestFate::kWarmUp);
  return true;
}

void Exchange::handle_transmit_timestamp(const TransmitStamp& stamp) {
  if (!waiting_ && !previous_is_last_) return;
  if (!is_possible_send(stamp, started_.raw)) return;
  TransmitStamp& known = waiting_ ? sent_ : previous_.four.t1;
  if (stamp.source >= known.source) known = stamp;
}

// B9: a broadcast says by its poll field when the next one is due. A quarter of that is left for
// what the network and the sender's own variation do.
ReplyReason Exchange::judge_broadcast(const Header& header, MonoTime now) {
  const bool early = broadcast_seen_ && now < next_broadcast_;
  const Duration interval = exp2_seconds(std::clamp<int>(header.poll, -7, 17));
  broadcast_seen_ = true;
  next_broadcast_ = now + interval / 4 * 3;
  return early ? ReplyReason::kEarlyBroadcast : ReplyReason::kWrongMode;
}

ReplyReason Exchange::judge_origin(const Header& header, MonoTime now) {
  if (header.mode == Mode::kBroadcast) return judge_broadcast(header, now);
  if (header.mode != Mode::kServer) return ReplyReason::kWrongMode;
  if (header.version > config_.version) return ReplyReason::kWrongVersion;
  // CVE-2015-8138, CVE-2016-7431: never an origin of zero.
  if (header.origin.is_zero()) return ReplyReason::kZeroOrigin;
  const bool ours =
      header.origin == transmit_cookie_ || (interleaved_ && header.origin == receive_cookie_);
  if (ours && waiting_) return ReplyReason::kAccepted;
  if (ours && answered_) return ReplyReason::kDuplicate;
  switch (history_.fate_of(header.origin)) {
    case RequestFate::kAnswered:
      return ReplyReason::kReplayed;
    case RequestFate::kUnanswered:
      return ReplyReason::kLate;
    case RequestFate::kWarmUp:
      return ReplyReason::kWarmUp;
    case RequestFate::kUnknown:
      break;
  }
  return waiting_ ? ReplyReason::kWrongOrigin : ReplyReason::kUnsolicited;
}

// B10: a server's time that goes back is a replay inside an honest exchange, or a clock that was
// set back; the latter is believed when it stays.
bool Exchange::is_stale(const Header& header) {
  if (config_.earliest != UnixTime() && header.receive - to_ntp(config_.earliest) < Duration()) {
    return true;
  }
  const bool back = server_time_known_ && header.receive - server_time_ < -kStaleSlack;
  stale_in_a_row_ = back ? stale_in_a_row_ + 1 : 0;
  if (back && stale_in_a_row_ <= kMaxStaleInARow) return true;
  server_time_known_ = true;
  server_time_ = header.receive;
  return false;
}

void Exchange::judge_answer(const ReplyRx& rx, const Header& header, Reply& out) {
  out.sample.interleaved = header.origin != transmit_cookie_;
  if (header.receive.is_zero() || header.transmit.is_zero()) {
    out.reason =
        claims_no_time(header) ? ReplyReason::kUnsynchronised : ReplyReason::kZeroTimestamp;
    return;
  }
  const Times current{
      true, false, {rx.now, sent_, header.receive, rx.received, rx.source, rx.error}};
  const Times& times = out.sample.interleaved ? previous_ : current;
  out.repeated = times.measured;
  // An exchange with a server is over in a moment: the pace of raw time does not matter.
  measure(times.four, header, config_, {0, config_.clock_error_ppb}, out);
  if (out.has_times) out.reason = judge_sample(header, out.sample, config_);
  if (out.reason == ReplyReason::kAccepted && is_stale(header)) {
    out.reason = ReplyReason::kStaleTimestamp;
  }
  const bool measured = out.reason == ReplyReason::kAccepted && !out.sample.interleaved;
  previous_ = current;
  previous_.measured = measured;
  previous_is_last_ = true;
}

Reply Exchange::handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator) {
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) return refused(reply_reason_of(packet.error()));
  const Header& header = packet->header;
  Reply out = refused(judge_origin(header, rx.now.mono));
  if (out.reason != ReplyReason::kAccepted) return out;
  out.reason = reply_reason_of(authenticator.check(*packet, datagram));
  if (out.reason != ReplyReason::kAccepted) return out;
  waiting_ = false;
  answered_ = true;
  in_vain_ = 0;
  out.sample.at = rx.now;
  take_claims(header, out.sample);
  out.sample.kiss = wire::ntp::kiss_code(header.stratum, header.reference_id);
  if (out.sample.kiss != wire::ntp::KissCode::kNone) {
    out.reason = reason_of_kiss(out.sample.kiss, header.poll);
  } else if (stepped_) {
    out.reason = ReplyReason::kLocalClockStepped;
    previous_.known = false;
  } else {
    judge_answer(rx, header, out);
  }
  return out;
}

}  // namespace timepool::ntp
