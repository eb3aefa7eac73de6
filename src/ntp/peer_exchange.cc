#include "ntp/peer_exchange.h"

#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Mode;

bool is_symmetric(Mode mode) {
  return mode == Mode::kSymmetricActive || mode == Mode::kSymmetricPassive;
}

// RFC 5905 6: bits below the precision are filled with random ones.
NtpTimestamp blurred(NtpTimestamp time, std::int8_t precision, RandomStream& random) {
  const int unknown = 32 + precision;
  if (unknown <= 0 || unknown > 32) return time;
  const std::uint64_t mask = (std::uint64_t{1} << unknown) - 1;
  return NtpTimestamp::from_bits((time.bits() & ~mask) | (random.next() & mask));
}

}  // namespace

PeerExchange::PeerExchange(const ExchangeConfig& config, std::shared_ptr<const OwnClock> own)
    : config_(config), own_(std::move(own)) {
  CHECK(own_ != nullptr);
}

// Each of our packets is known by its transmit timestamp, also after our clock was set back.
NtpTimestamp PeerExchange::unused_time(UnixTime told, RandomStream& random) const {
  for (;;) {
    const NtpTimestamp out = blurred(to_ntp(told), config_.precision, random);
    const bool used =
        out.is_zero() || out == ours_ || history_.fate_of(out) != RequestFate::kUnknown;
    if (!used) return out;
    told = told + Duration::nanoseconds(1);
  }
}

// RFC 5905 9.2 and figure 30. All times are told as the clock has them now, also that of receiving
// what came before it was corrected: their difference is what the peer measures by.
Header PeerExchange::header_at(LocalTime now, std::int8_t poll, RandomStream& random) const {
  const ServerState& state = own_->state;
  const Duration told = own_->correction + state.test_offset;
  Header out;
  out.version = config_.version;
  out.mode = Mode::kSymmetricActive;
  out.poll = poll;
  out.precision = state.precision;
  out.leap = wire::ntp::Leap::kUnsynchronised;
  // A smeared leap second is for clients who know of it (RFC 8633 3.7.1).
  if (state.vouches(now.raw + own_->correction) && state.shift.none()) {
    out.leap = state.leap;
    out.stratum = state.stratum;
    out.root_delay = to_ntp_short(state.root_delay);
    out.root_dispersion = to_ntp_short(root_dispersion_at(state, now.raw + own_->correction));
    out.reference_id = state.reference_id;
    out.reference = to_ntp(state.reference_time + state.test_offset);
  }
  if (theirs_ && heard_) {
    out.origin = *theirs_;
    out.receive = to_ntp(*heard_ + told);
  }
  out.transmit = unused_time(now.raw + told, random);
  return out;
}

bool PeerExchange::start(LocalTime now, std::int8_t poll, RandomStream& random,
                         Authenticator& authenticator, ByteWriter& out) {
  if (!ours_.is_zero()) {
    history_.add(ours_, {}, waiting_ ? RequestFate::kUnanswered : RequestFate::kAnswered);
  }
  waiting_ = false;
  stepped_ = false;
  const Header header = header_at(now, poll, random);
  wire::ntp::write_header(header, out);
  if (!authenticator.protect(out, random) || !out.ok()) return false;
  listening_ = true;
  waiting_ = true;
  ours_ = header.transmit;
  started_ = now;
  sent_ = {now.raw, StampSource::kProgram, Duration()};
  return true;
}

void PeerExchange::handle_transmit_timestamp(const TransmitStamp& stamp) {
  if (!waiting_ || !is_possible_send(stamp, started_.raw)) return;
  if (stamp.source >= sent_.source) sent_ = stamp;
}

void PeerExchange::abandon() {
  listening_ = false;
  waiting_ = false;
  heard_.reset();
}

void PeerExchange::forget_previous() {
  heard_.reset();
  stepped_ = waiting_;
}

// Of a packet that is proved to be made with the key.
ReplyReason PeerExchange::judge(const Header& header, bool answers) const {
  // Both sides have the one key, so it does not tell whose packet it is.
  if (header.transmit == ours_ || history_.fate_of(header.transmit) != RequestFate::kUnknown) {
    return ReplyReason::kReflected;
  }
  if (theirs_ && header.transmit == *theirs_) return ReplyReason::kDuplicate;
  if (answers) return ReplyReason::kAccepted;
  const bool older = theirs_ && header.transmit - *theirs_ <= Duration();
  if (header.transmit.is_zero() || older) return ReplyReason::kReplayed;
  return ReplyReason::kPeerUnasked;
}

Reply PeerExchange::handle_datagram(const ReplyRx& rx, Bytes datagram,
                                    Authenticator& authenticator) {
  if (!listening_) return {};
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) return refused(reply_reason_of(packet.error()));
  const Header& header = packet->header;
  if (!is_symmetric(header.mode)) return refused(ReplyReason::kWrongMode);
  if (header.version > config_.version) return refused(ReplyReason::kWrongVersion);
  Reply out = refused(reply_reason_of(authenticator.check(*packet, datagram)));
  if (out.reason != ReplyReason::kAccepted) return out;
  const bool answers = waiting_ && header.origin == ours_;
  out.reason = judge(header, answers);
  if (out.reason != ReplyReason::kAccepted && out.reason != ReplyReason::kPeerUnasked) return out;
  if (!header.transmit.is_zero()) {
    theirs_ = header.transmit;
    heard_ = rx.received;
  }
  out.sample.at = rx.now;
  take_claims(header, out.sample);
  if (!answers) return out;
  waiting_ = false;
  const bool early_world =
      config_.earliest != UnixTime() && header.receive - to_ntp(config_.earliest) < Duration();
  if (header.receive.is_zero() || header.transmit.is_zero()) {
    out.reason =
        claims_no_time(header) ? ReplyReason::kUnsynchronised : ReplyReason::kZeroTimestamp;
  } else if (stepped_) {
    out.reason = ReplyReason::kLocalClockStepped;
  } else if (early_world) {
    out.reason = ReplyReason::kStaleTimestamp;
  } else {
    measure({rx.now, sent_, header.receive, rx.received, rx.source, rx.error}, header, config_,
            own_->pace, out);
    if (out.has_times) out.reason = judge_sample(header, out.sample, config_);
  }
  return out;
}

}  // namespace timepool::ntp
