#include "ntp/peer_exchange.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "ntp/peer_test_support.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Leap;
using wire::ntp::Mode;
using Octets = std::vector<std::byte>;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();
constexpr Duration kWay = Duration::milliseconds(5);

constexpr Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}
constexpr Duration seconds(std::int64_t count) {
  return Duration::seconds(count);
}

// One machine: what its clock reads at a moment of true time, and its half of the association.
struct Side {
  explicit Side(Duration by) : ahead(by) {
    own->state.leap = Leap::kNone;
    own->state.stratum = 2;
    own->state.reference_time = kStart - seconds(10);
  }

  LocalTime at(Duration since) const {
    const Duration gained = Duration::from_seconds(fast * since.to_seconds());
    return {MonoTime::from_ns(5'000'000'000) + since, kStart + since + ahead + gained};
  }
  Octets send(Duration since) {
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    EXPECT_TRUE(exchange.start(at(since), 6, random, proof, writer));
    return {writer.written().begin(), writer.written().end()};
  }
  Reply receive(const Octets& datagram, Duration since) {
    const LocalTime now = at(since);
    return exchange.handle_datagram({now, now.raw}, datagram, proof);
  }

  Duration ahead;
  double fast = 0;
  std::shared_ptr<OwnClock> own = std::make_shared<OwnClock>();
  RandomStream random{SiphashKey{1, 2}};
  TestProof proof;
  PeerExchange exchange{ExchangeConfig{}, own};
};

// Ours is right, the peer's clock is 250 ms ahead; 5 ms of way each way.
class PeerExchangeTest : public testing::Test {
 protected:
  Header header_of(const Octets& datagram) const {
    ByteReader reader(datagram);
    return wire::ntp::read_header(reader);
  }
  // As somebody who has the key would write it.
  Octets changed(const Octets& datagram, const std::function<void(Header&)>& change) {
    Header header = header_of(datagram);
    change(header);
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    wire::ntp::write_header(header, writer);
    EXPECT_TRUE(ours_.proof.protect(writer, ours_.random));
    return {writer.written().begin(), writer.written().end()};
  }
  // Ours at `since`, and the peer's answer `held` after it came there.
  Octets answered(Duration since, Duration held) {
    static_cast<void>(peer_.receive(ours_.send(since), since + kWay));
    return peer_.send(since + kWay + held);
  }
  void SetUp() override { static_cast<void>(peer_.send({})); }

  Side ours_{Duration()};
  Side peer_{ms(250)};
};

TEST_F(PeerExchangeTest, measures_the_peer_by_the_four_times) {
  const Octets answer = answered(seconds(10), ms(20));
  const Reply reply = ours_.receive(answer, seconds(10) + ms(30));
  ASSERT_EQ(reply.reason, ReplyReason::kAccepted);
  EXPECT_LE((reply.sample.offset - ms(250)).abs(), Duration::microseconds(2));
  EXPECT_LE((reply.sample.delay - ms(10)).abs(), Duration::microseconds(4));
  EXPECT_EQ(reply.sample.stratum, 2);
  EXPECT_FALSE(ours_.exchange.waiting());
}

TEST_F(PeerExchangeTest, tells_our_state_and_names_what_it_heard) {
  ours_.own->state.root_delay = ms(8);
  const Octets first = ours_.send(seconds(1));
  EXPECT_EQ(header_of(first).mode, Mode::kSymmetricActive);
  EXPECT_EQ(header_of(first).stratum, 2);
  EXPECT_EQ(header_of(first).poll, 6);
  EXPECT_EQ(header_of(first).root_delay, to_ntp_short(ms(8)));
  EXPECT_TRUE(header_of(first).origin.is_zero());
  EXPECT_TRUE(header_of(first).receive.is_zero());
  const Octets theirs = peer_.send(seconds(2));
  EXPECT_EQ(ours_.receive(theirs, seconds(2) + kWay).reason, ReplyReason::kPeerUnasked);
  const Octets second = ours_.send(seconds(3));
  EXPECT_EQ(header_of(second).origin, header_of(theirs).transmit);
  EXPECT_EQ(header_of(second).receive, to_ntp(ours_.at(seconds(2) + kWay).raw));
}

TEST_F(PeerExchangeTest, without_time_of_our_own_it_says_so) {
  ours_.own->state = ServerState();
  const Header header = header_of(ours_.send(seconds(1)));
  EXPECT_EQ(header.leap, Leap::kUnsynchronised);
  EXPECT_EQ(header.stratum, 0);
  EXPECT_TRUE(header.reference.is_zero());
}

TEST_F(PeerExchangeTest, B16_a_smeared_leap_second_is_not_told_to_peers) {
  ours_.own->state.shift.offset = ms(100);
  EXPECT_EQ(header_of(ours_.send(seconds(1))).leap, Leap::kUnsynchronised);
}

TEST_F(PeerExchangeTest, what_was_heard_before_the_clock_was_corrected_is_told_in_corrected_time) {
  static_cast<void>(ours_.send(seconds(1)));
  static_cast<void>(ours_.receive(peer_.send(seconds(2)), seconds(3)));
  ours_.own->correction = seconds(100);
  const Header header = header_of(ours_.send(seconds(4)));
  EXPECT_LE((header.transmit - header.receive - seconds(1)).abs(), Duration::microseconds(2));
}

TEST_F(PeerExchangeTest, a_long_stay_at_the_peer_counts_by_the_pace_of_raw_time) {
  ours_.fast = 30e-6;
  const Duration end = seconds(10) + seconds(64) + kWay * 2;
  const Duration truth = ms(250) - Duration::from_seconds(30e-6 * end.to_seconds());
  // Not known: within the dispersion.
  Octets answer = answered(seconds(10), seconds(64));
  Reply reply = ours_.receive(answer, end);
  ASSERT_EQ(reply.reason, ReplyReason::kAccepted);
  EXPECT_GT((reply.sample.offset - truth).abs(), Duration::microseconds(900));
  EXPECT_LE((reply.sample.offset - truth).abs(), reply.sample.dispersion);
  // Known to a millionth.
  Side other{ms(250)};
  static_cast<void>(other.send({}));
  ours_.own->pace = {-30e-6, 1'000};
  const Octets request = ours_.send(end + seconds(1));
  static_cast<void>(other.receive(request, end + seconds(1) + kWay));
  answer = other.send(end + seconds(65));
  reply = ours_.receive(answer, end + seconds(65) + kWay);
  ASSERT_EQ(reply.reason, ReplyReason::kAccepted);
  const Duration later = ms(250) - Duration::from_seconds(30e-6 * (end + seconds(65)).to_seconds());
  EXPECT_LE((reply.sample.offset - later).abs(), Duration::microseconds(4));
  EXPECT_LE((reply.sample.delay - kWay * 2).abs(), Duration::microseconds(8));
  EXPECT_LE(reply.sample.dispersion, Duration::microseconds(80));
}

TEST_F(PeerExchangeTest, B34_what_the_key_does_not_prove_changes_nothing) {
  const Octets answer = answered(seconds(10), ms(20));
  peer_.proof = TestProof(2);
  const Octets forged = peer_.send(seconds(10) + ms(40));
  EXPECT_EQ(ours_.receive(forged, seconds(11)).reason, ReplyReason::kNotAuthentic);
  Octets bare = forged;
  bare.resize(wire::ntp::kHeaderSize);
  EXPECT_EQ(ours_.receive(bare, seconds(11)).reason, ReplyReason::kNotAuthentic);
  Octets nak = bare;
  nak.resize(wire::ntp::kHeaderSize + 4);
  EXPECT_EQ(ours_.receive(nak, seconds(11)).reason, ReplyReason::kCryptoNak);
  EXPECT_EQ(ours_.receive(answer, seconds(11)).reason, ReplyReason::kAccepted);
  EXPECT_EQ(header_of(ours_.send(seconds(12))).origin, header_of(answer).transmit);
}

TEST_F(PeerExchangeTest, CVE_2015_1799_a_replay_takes_nothing_from_us) {
  const Octets old = peer_.send(seconds(1));
  static_cast<void>(ours_.send(seconds(2)));
  static_cast<void>(ours_.receive(old, seconds(2) + kWay));
  const Octets answer = answered(seconds(10), ms(20));
  EXPECT_EQ(ours_.receive(old, seconds(10) + ms(10)).reason, ReplyReason::kDuplicate);
  ASSERT_EQ(ours_.receive(answer, seconds(10) + ms(30)).reason, ReplyReason::kAccepted);
  EXPECT_EQ(ours_.receive(old, seconds(11)).reason, ReplyReason::kReplayed);
  EXPECT_EQ(ours_.receive(answer, seconds(11)).reason, ReplyReason::kDuplicate);
  // The state is that of the newest: the exchange after it is measured all the same.
  const Octets next = ours_.send(seconds(20));
  EXPECT_EQ(header_of(next).origin, header_of(answer).transmit);
  EXPECT_EQ(peer_.receive(next, seconds(20) + kWay).reason, ReplyReason::kAccepted);
}

TEST_F(PeerExchangeTest, our_own_packets_sent_back_to_us_are_none_of_the_peers) {
  const Octets first = ours_.send(seconds(1));
  EXPECT_EQ(ours_.receive(first, seconds(1) + ms(1)).reason, ReplyReason::kReflected);
  const Octets second = ours_.send(seconds(2));
  EXPECT_EQ(ours_.receive(first, seconds(3)).reason, ReplyReason::kReflected);
  EXPECT_EQ(ours_.receive(second, seconds(3)).reason, ReplyReason::kReflected);
  EXPECT_TRUE(header_of(ours_.send(seconds(4))).origin.is_zero());
}

TEST_F(PeerExchangeTest, a_second_answer_to_the_same_packet_is_noted_and_not_measured) {
  const Octets answer = answered(seconds(10), ms(20));
  ASSERT_EQ(ours_.receive(answer, seconds(10) + ms(30)).reason, ReplyReason::kAccepted);
  const Octets again = peer_.send(seconds(20));
  EXPECT_EQ(header_of(again).origin, header_of(answer).origin);
  EXPECT_EQ(ours_.receive(again, seconds(20) + kWay).reason, ReplyReason::kPeerUnasked);
  EXPECT_EQ(header_of(ours_.send(seconds(21))).origin, header_of(again).transmit);
}

TEST_F(PeerExchangeTest, an_answer_to_a_packet_before_the_latest_is_no_measurement) {
  const Octets answer = answered(seconds(10), ms(20));
  static_cast<void>(ours_.send(seconds(10) + ms(25)));
  EXPECT_EQ(ours_.receive(answer, seconds(10) + ms(30)).reason, ReplyReason::kPeerUnasked);
}

TEST_F(PeerExchangeTest, a_peer_whose_clock_was_set_back_is_heard_again_by_its_next_answer) {
  ASSERT_EQ(ours_.receive(answered(seconds(10), ms(20)), seconds(10) + ms(30)).reason,
            ReplyReason::kAccepted);
  peer_.ahead = seconds(-3600);
  peer_.own->state.reference_time = kStart + peer_.ahead;
  const Octets unasked = peer_.send(seconds(19));
  EXPECT_EQ(ours_.receive(unasked, seconds(19) + kWay).reason, ReplyReason::kReplayed);
  const Reply reply = ours_.receive(answered(seconds(20), ms(20)), seconds(20) + ms(30));
  EXPECT_EQ(reply.reason, ReplyReason::kAccepted);
  EXPECT_LE((reply.sample.offset - seconds(-3600)).abs(), Duration::microseconds(4));
}

TEST_F(PeerExchangeTest, a_peer_that_says_that_it_has_no_time_is_heard_and_not_used) {
  peer_.own->state = ServerState();
  const Reply reply = ours_.receive(answered(seconds(10), ms(20)), seconds(10) + ms(30));
  EXPECT_EQ(reply.reason, ReplyReason::kUnsynchronised);
  EXPECT_EQ(reply.sample.kiss, wire::ntp::KissCode::kNone);
}

TEST_F(PeerExchangeTest, times_that_contradict_each_other_are_no_measurement) {
  const Octets answer = answered(seconds(10), ms(20));
  const Octets bogus = changed(answer, [](Header& it) {
    it.receive = NtpTimestamp::from_bits(it.receive.bits() - (std::uint64_t{5} << 32));
  });
  EXPECT_EQ(ours_.receive(bogus, seconds(10) + ms(30)).reason, ReplyReason::kBogusTimes);
  const Octets zero = changed(answered(seconds(20), ms(20)), [](Header& it) { it.receive = {}; });
  EXPECT_EQ(ours_.receive(zero, seconds(20) + ms(30)).reason, ReplyReason::kZeroTimestamp);
}

TEST_F(PeerExchangeTest, B8_other_modes_and_newer_versions_are_none_of_a_peers) {
  const Octets answer = answered(seconds(10), ms(20));
  for (const Mode mode : {Mode::kReserved, Mode::kClient, Mode::kServer, Mode::kBroadcast}) {
    const Octets other = changed(answer, [mode](Header& it) { it.mode = mode; });
    EXPECT_EQ(ours_.receive(other, seconds(11)).reason, ReplyReason::kWrongMode);
  }
  const Octets passive = changed(answer, [](Header& it) { it.mode = Mode::kSymmetricPassive; });
  EXPECT_EQ(ours_.receive(passive, seconds(11)).reason, ReplyReason::kAccepted);
}

TEST_F(PeerExchangeTest, a_step_of_the_clock_or_lost_time_in_between_makes_it_no_measurement) {
  Octets answer = answered(seconds(10), ms(20));
  ours_.exchange.handle_clock_step();
  EXPECT_EQ(ours_.receive(answer, seconds(10) + ms(30)).reason, ReplyReason::kLocalClockStepped);
  answer = answered(seconds(20), ms(20));
  ours_.exchange.forget_previous();
  EXPECT_EQ(ours_.receive(answer, seconds(20) + ms(30)).reason, ReplyReason::kLocalClockStepped);
}

TEST_F(PeerExchangeTest, nothing_is_heard_while_it_is_offline) {
  const Octets answer = answered(seconds(10), ms(20));
  ours_.exchange.abandon();
  EXPECT_EQ(ours_.receive(answer, seconds(10) + ms(30)).reason, ReplyReason::kUnsolicited);
  EXPECT_TRUE(header_of(ours_.send(seconds(20))).origin.is_zero());
}

TEST_F(PeerExchangeTest, the_kernels_time_of_sending_replaces_our_own) {
  const Octets request = ours_.send(seconds(10));
  ours_.exchange.handle_transmit_timestamp({ours_.at(seconds(10) + ms(2)).raw});
  ours_.exchange.handle_transmit_timestamp({ours_.at(seconds(15)).raw});
  static_cast<void>(peer_.receive(request, seconds(10) + ms(2) + kWay));
  const Octets answer = peer_.send(seconds(12));
  const Reply reply = ours_.receive(answer, seconds(12) + kWay);
  ASSERT_EQ(reply.reason, ReplyReason::kAccepted);
  EXPECT_EQ(reply.sample.sent_by, StampSource::kKernel);
  EXPECT_LE((reply.sample.delay - ms(10)).abs(), Duration::microseconds(4));
}

}  // namespace
}  // namespace timepool::ntp
