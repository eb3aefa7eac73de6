#include "ntp/broadcast_exchange.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "ntp/broadcast_watch.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Mode;

// An answer may overtake a broadcast, or the other way round, by less.
constexpr Duration kSetBack = Duration::seconds(1);

}  // namespace

BroadcastExchange::BroadcastExchange(const ExchangeConfig& config, Duration way,
                                     std::shared_ptr<const OwnClock> own)
    : config_(config), known_way_(way), own_(std::move(own)), volley_(config) {
  CHECK(own_ != nullptr && way >= Duration());
}

bool BroadcastExchange::start(LocalTime now, std::int8_t, RandomStream& random,
                              Authenticator& authenticator, ByteWriter& out) {
  if (known_way_ > Duration()) return false;
  return volley_.start(now, random, authenticator, out);
}

void BroadcastExchange::forget_previous() {
  volley_.forget_previous();
  anchor_.reset();
}

void BroadcastExchange::handle_clock_step() {
  volley_.handle_clock_step();
  stepped_ = true;
}

std::optional<Duration> BroadcastExchange::way() const {
  if (known_way_ > Duration()) return known_way_;
  if (trips_.empty()) return std::nullopt;
  Duration least = trips_[0];
  for (std::size_t i = 1; i < trips_.size(); ++i) least = std::min(least, trips_[i]);
  return least / 2;
}

// An answer proves what the server's time is now, also after it was set back.
void BroadcastExchange::learn(const Reply& reply, NtpTimestamp transmit) {
  trips_.push_back(reply.sample.delay);
  anchor_ = Anchor{reply.sample.offset, reply.sample.at.raw};
  if (latest_ && transmit - *latest_ < -kSetBack) latest_ = transmit;
  implausible_ = 0;
}

// Of one that is proved to be made with the key.
ReplyReason BroadcastExchange::judge_order(const Header& header, MonoTime now) {
  if (latest_ && header.transmit == *latest_) return ReplyReason::kDuplicate;
  const bool older = latest_ && header.transmit - *latest_ < Duration();
  if (older || header.transmit.is_zero()) return ReplyReason::kReplayed;
  latest_ = header.transmit;
  // B9. What comes early does not move the limit, so a server that begins anew is heard again.
  if (now < next_) return ReplyReason::kEarlyBroadcast;
  next_ = now + broadcast_interval(header.poll) / 4 * 3;
  return ReplyReason::kAccepted;
}

// Where the anchor says that the offset must be now, and the most that this is wrong by since then.
BroadcastExchange::Expected BroadcastExchange::expected_at(UnixTime received) const {
  const Duration age = received - anchor_->at;
  const Duration gained = Duration::from_seconds(own_->pace.frequency * age.to_seconds());
  return {anchor_->offset + gained, drift_over(age.abs(), own_->pace.error_ppb + kServerErrorPpb)};
}

// What the way alone does not explain: a broadcast takes longer when its sender or the network is
// busy. Nothing when it takes more than is believed.
std::optional<Duration> BroadcastExchange::doubt(Duration offset, UnixTime received, Duration way) {
  if (!anchor_) return kBroadcastSlack;
  const Expected expected = expected_at(received);
  const Duration off = (offset - expected.offset).abs();
  const bool known = known_way_ > Duration();
  if (off <= kBroadcastSlack + way + expected.drift) {
    implausible_ = 0;
    return known ? kBroadcastSlack : off + expected.drift;
  }
  ++implausible_;
  if (known && implausible_ > kMaxImplausibleInARow) return kBroadcastSlack;
  return std::nullopt;
}

ReplyReason BroadcastExchange::judge_time(const ReplyRx& rx, const Header& header, Reply& out) {
  if (std::exchange(stepped_, false)) return ReplyReason::kLocalClockStepped;
  if (claims_no_time(header)) return ReplyReason::kUnsynchronised;
  const bool future =
      !header.reference.is_zero() && header.transmit - header.reference < Duration();
  if (future) return ReplyReason::kFutureReference;
  if (config_.earliest != UnixTime() && header.transmit - to_ntp(config_.earliest) < Duration()) {
    return ReplyReason::kStaleTimestamp;
  }
  const std::optional<Duration> way = this->way();
  if (!way || (!anchor_ && known_way_ == Duration())) return ReplyReason::kUncalibrated;
  const Duration clock = exp2_seconds(config_.precision);
  const Duration resolution =
      rx.source == StampSource::kHardware ? rx.error : std::max(clock, rx.error);
  Sample& sample = out.sample;
  sample.offset = header.transmit - to_ntp(rx.received) + *way;
  sample.delay = std::max({*way * 2, resolution, Duration::nanoseconds(1)});
  sample.received_by = rx.source;
  const std::optional<Duration> doubt = this->doubt(sample.offset, rx.received, *way);
  if (!doubt) return ReplyReason::kImplausible;
  sample.dispersion = resolution + exp2_seconds(header.precision) + *doubt;
  out.has_times = true;
  const ReplyReason reason = judge_sample(header, sample, config_);
  if (reason == ReplyReason::kAccepted && known_way_ > Duration()) {
    anchor_ = Anchor{sample.offset, rx.received};
  }
  return reason;
}

Reply BroadcastExchange::handle_datagram(const ReplyRx& rx, Bytes datagram,
                                         Authenticator& authenticator) {
  const auto packet = wire::ntp::parse_packet(datagram);
  if (!packet.ok()) return refused(reply_reason_of(packet.error()));
  const Header& header = packet->header;
  if (header.mode != Mode::kBroadcast) {
    Reply out = volley_.handle_datagram(rx, datagram, authenticator);
    if (out.reason == ReplyReason::kAccepted) learn(out, header.transmit);
    return out;
  }
  if (header.version > config_.version) return refused(ReplyReason::kWrongVersion);
  if (authenticator.check(*packet, datagram) != AuthVerdict::kAuthentic) {
    return refused(ReplyReason::kNotAuthentic);
  }
  Reply out = refused(judge_order(header, rx.now.mono));
  if (out.reason != ReplyReason::kAccepted) return out;
  out.broadcast = true;
  out.sample.at = rx.now;
  take_claims(header, out.sample);
  out.reason = judge_time(rx, header, out);
  return out;
}

}  // namespace timepool::ntp
