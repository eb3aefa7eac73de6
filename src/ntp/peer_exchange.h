// PeerExchange: symmetric mode with a configured peer (RFC 5905 3, 8 and 9.2; RFC 8633 5.6): each
// side tells the other its time unasked, and names the last packet that it heard.
//
// Invariants: what the peer's key does not prove changes nothing (B34). A packet is a measurement
// only when it names our latest transmit timestamp, and once. What is heard may only be replaced by
// what was sent later, unless it names our latest, which nobody can have recorded before: so a
// replay takes nothing from us (the class of CVE-2015-1799), and a peer whose clock was set back is
// heard again. Our own packets, sent back to us, are none of the peer's.
//
// The peer may keep our packet for as long as its poll before it answers, so the pace of raw time
// counts in the measurement, and how badly it is known in the dispersion.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "ntp/dialogue.h"
#include "ntp/four_times.h"
#include "ntp/own_clock.h"
#include "ntp/request_history.h"

namespace timepool::ntp {

class PeerExchange final : public Dialogue {
 public:
  // `own` must not be null.
  PeerExchange(const ExchangeConfig& config, std::shared_ptr<const OwnClock> own);

  bool start(LocalTime now, std::int8_t poll, RandomStream& random, Authenticator& authenticator,
             ByteWriter& out) override;
  // Nothing is written: a peer takes every packet for the newest.
  bool warm_up(RandomStream&, Authenticator&, ByteWriter&) override { return false; }
  void handle_transmit_timestamp(const TransmitStamp& stamp) override;
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator) override;
  void abandon() override;
  void forget_previous() override;
  void handle_clock_step() override { stepped_ = waiting_; }
  bool waiting() const override { return waiting_; }

 private:
  ReplyReason judge(const wire::ntp::Header& header, bool answers) const;
  wire::ntp::Header header_at(LocalTime now, std::int8_t poll, RandomStream& random) const;
  NtpTimestamp unused_time(UnixTime told, RandomStream& random) const;

  ExchangeConfig config_;
  std::shared_ptr<const OwnClock> own_;
  bool listening_ = false;  // since the first start() until abandon()
  bool waiting_ = false;
  bool stepped_ = false;  // the clock was, while our latest waited
  LocalTime started_;
  NtpTimestamp ours_;  // the transmit timestamp of our latest
  TransmitStamp sent_;
  // Our packets before the latest.
  RequestHistory history_;
  // The transmit timestamp of the peer's latest, as soon as there was one.
  std::optional<NtpTimestamp> theirs_;
  std::optional<UnixTime> heard_;  // when that came, in raw time; nothing when that means nothing
};

}  // namespace timepool::ntp
