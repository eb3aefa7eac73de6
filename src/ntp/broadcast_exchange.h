// BroadcastExchange: a server that is heard in broadcast mode (RFC 5905 3 and 9.2; RFC 8633 5.5). A
// broadcast alone does not tell how long its way was, so a short exchange with its server measures
// that, at first and now and then; or the way is known, and nobody is asked.
//
// Invariants: what the server's key does not prove changes nothing (B33). A broadcast counts once
// and in the order of sending, and not sooner than the one before announced (B9). With a way that
// is measured, it counts only where the last exchange says that it must be: whoever records
// broadcasts or holds them back takes nothing more from us than the distance that is allowed there.
// With a known way nothing proves that a broadcast is fresh but the ones before.
//
// The dispersion of a sample covers what a broadcast may have taken beyond its way: its distance
// from the last exchange, and what the clocks may have gained since; kBroadcastSlack with a known
// way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/ring_buffer.h"
#include "ntp/exchange.h"
#include "ntp/own_clock.h"

namespace timepool::ntp {

// The way is taken for half of the shortest of so many round trips.
inline constexpr std::size_t kRememberedTrips = 8;
// How far from the last exchange a broadcast may be, beside the way and what the clocks gain: what
// a busy sender takes between writing it and sending it.
inline constexpr Duration kBroadcastSlack = Duration::milliseconds(5);
// RFC 5905's PHI: what the server's own clock may gain.
inline constexpr std::int64_t kServerErrorPpb = 15'000;
// With a known way: the server may have stepped its clock, so the third in a row that is somewhere
// else is taken.
inline constexpr int kMaxImplausibleInARow = 2;

class BroadcastExchange final : public Dialogue {
 public:
  // `way`: from the server to here; zero: it is measured. `own` must not be null.
  BroadcastExchange(const ExchangeConfig& config, Duration way,
                    std::shared_ptr<const OwnClock> own);

  // Asks the server for its time, as a client. False with a known way.
  bool start(LocalTime now, std::int8_t poll, RandomStream& random, Authenticator& authenticator,
             ByteWriter& out) override;
  // Nothing is written: exchanges are rare.
  bool warm_up(RandomStream&, Authenticator&, ByteWriter&) override { return false; }
  void handle_transmit_timestamp(const TransmitStamp& stamp) override {
    volley_.handle_transmit_timestamp(stamp);
  }
  // A broadcast, or the answer to start().
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator) override;
  void abandon() override { volley_.abandon(); }
  void forget_previous() override;
  void handle_clock_step() override;
  bool waiting() const override { return volley_.waiting(); }

 private:
  // Where the server's clock was at a moment of ours.
  struct Anchor {
    Duration offset;
    UnixTime at;  // raw
  };

  struct Expected {
    Duration offset;
    Duration drift;
  };

  void learn(const Reply& reply, NtpTimestamp transmit);
  ReplyReason judge_order(const wire::ntp::Header& header, MonoTime now);
  ReplyReason judge_time(const ReplyRx& rx, const wire::ntp::Header& header, Reply& out);
  std::optional<Duration> way() const;
  Expected expected_at(UnixTime received) const;
  std::optional<Duration> doubt(Duration offset, UnixTime received, Duration way);

  ExchangeConfig config_;
  Duration known_way_;
  std::shared_ptr<const OwnClock> own_;
  Exchange volley_;
  RingBuffer<Duration, kRememberedTrips> trips_;
  std::optional<Anchor> anchor_;
  std::optional<NtpTimestamp> latest_;  // no broadcast from before it counts
  MonoTime next_;                       // nor one before this
  bool stepped_ = false;
  int implausible_ = 0;  // in a row
};

}  // namespace timepool::ntp
