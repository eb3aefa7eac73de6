#include "ntp/broadcast_exchange.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ntp/broadcast_test_support.h"

namespace timepool::ntp {
namespace {

using Octets = TestBroadcaster::Octets;
using wire::ntp::Leap;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();
constexpr Duration kWay = Duration::milliseconds(3);
constexpr Duration kAhead = Duration::milliseconds(250);
constexpr Duration kInterval = Duration::seconds(64);

constexpr Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}
constexpr Duration seconds(std::int64_t count) {
  return Duration::seconds(count);
}

LocalTime at(Duration since) {
  return {MonoTime::from_ns(5'000'000'000) + since, kStart + since};
}

// Our clock is right, the server's is 250 ms ahead; 3 ms of way.
struct Listening {
  explicit Listening(Duration way) : exchange(ExchangeConfig{}, way, own) { server.ahead = kAhead; }
  Reply receive(const Octets& datagram, Duration since) {
    const LocalTime now = at(since);
    return exchange.handle_datagram({now, now.raw}, datagram, proof);
  }
  // A broadcast of `since`, which is on its way for kWay and `held`.
  Reply hear(Duration since, Duration held = {}) {
    return receive(server.broadcast(kStart + since), since + kWay + held);
  }
  Octets ask(Duration since) {
    std::array<std::byte, 128> buffer{};
    ByteWriter writer(buffer);
    EXPECT_TRUE(exchange.start(at(since), 10, random, proof, writer));
    return {writer.written().begin(), writer.written().end()};
  }
  Reply calibrate(Duration since) {
    const Octets request = ask(since);
    return receive(server.answer(request, kStart + since + kWay), since + kWay * 2);
  }

  std::shared_ptr<OwnClock> own = std::make_shared<OwnClock>();
  TestBroadcaster server;
  TestProof proof;
  RandomStream random{SiphashKey{1, 2}};
  BroadcastExchange exchange;
};

struct BroadcastExchangeTest : testing::Test {
  Listening it{Duration()};
  Listening known{kWay};
};

TEST_F(BroadcastExchangeTest, counts_once_an_exchange_has_told_how_long_its_way_is) {
  const Reply first = it.hear({});
  EXPECT_EQ(first.reason, ReplyReason::kUncalibrated);
  EXPECT_TRUE(first.broadcast);
  EXPECT_EQ(first.sample.stratum, 2);
  const Reply answer = it.calibrate(seconds(2));
  EXPECT_EQ(answer.reason, ReplyReason::kAccepted);
  EXPECT_FALSE(answer.broadcast);
  const Reply second = it.hear(kInterval);
  ASSERT_EQ(second.reason, ReplyReason::kAccepted);
  EXPECT_TRUE(second.broadcast);
  EXPECT_TRUE(second.has_times);
  EXPECT_LE((second.sample.offset - kAhead).abs(), Duration::microseconds(4));
  EXPECT_LE((second.sample.delay - kWay * 2).abs(), Duration::microseconds(4));
}

TEST_F(BroadcastExchangeTest, takes_half_of_the_shortest_of_the_last_round_trips_for_the_way) {
  const Octets slow = it.ask({});
  EXPECT_EQ(it.receive(it.server.answer(slow, kStart + ms(40)), ms(43)).reason,
            ReplyReason::kAccepted);
  EXPECT_EQ(it.calibrate(seconds(2)).reason, ReplyReason::kAccepted);
  const Reply heard = it.hear(seconds(10));
  ASSERT_EQ(heard.reason, ReplyReason::kAccepted);
  EXPECT_LE((heard.sample.offset - kAhead).abs(), Duration::microseconds(4));
}

TEST_F(BroadcastExchangeTest, with_a_known_way_nobody_is_asked) {
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  EXPECT_FALSE(known.exchange.start(at({}), 10, known.random, known.proof, writer));
  EXPECT_EQ(writer.size(), 0u);
  EXPECT_FALSE(known.exchange.waiting());
  const Reply heard = known.hear({});
  ASSERT_EQ(heard.reason, ReplyReason::kAccepted);
  EXPECT_LE((heard.sample.offset - kAhead).abs(), Duration::microseconds(4));
}

TEST_F(BroadcastExchangeTest, B33_what_the_key_does_not_prove_changes_nothing) {
  static_cast<void>(known.hear({}));
  known.server.proof = TestProof(2);
  known.server.ahead = seconds(900);
  EXPECT_EQ(known.hear(kInterval).reason, ReplyReason::kNotAuthentic);
  Octets bare = known.server.broadcast(kStart + kInterval);
  bare.resize(wire::ntp::kHeaderSize);
  EXPECT_EQ(known.receive(bare, kInterval).reason, ReplyReason::kNotAuthentic);
  known.server.proof = TestProof(1);
  known.server.ahead = kAhead;
  EXPECT_EQ(known.hear(kInterval).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, replays_and_what_was_overtaken_do_not_count) {
  const Octets first = known.server.broadcast(kStart);
  EXPECT_EQ(known.receive(first, kWay).reason, ReplyReason::kAccepted);
  EXPECT_EQ(known.receive(first, kInterval).reason, ReplyReason::kDuplicate);
  EXPECT_EQ(known.hear(kInterval).reason, ReplyReason::kAccepted);
  const Reply replayed = known.receive(first, kInterval * 2);
  EXPECT_EQ(replayed.reason, ReplyReason::kReplayed);
  EXPECT_FALSE(replayed.broadcast);
  EXPECT_EQ(known.hear(kInterval * 2).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, B9_one_that_comes_sooner_than_announced_does_not_count) {
  EXPECT_EQ(known.hear({}).reason, ReplyReason::kAccepted);
  EXPECT_EQ(known.hear(seconds(47)).reason, ReplyReason::kEarlyBroadcast);
  EXPECT_EQ(known.hear(seconds(49)).reason, ReplyReason::kAccepted) << "a quarter less is fine";
}

TEST_F(BroadcastExchangeTest, B9_a_server_that_begins_anew_more_often_is_heard_after_an_interval) {
  EXPECT_EQ(known.hear({}).reason, ReplyReason::kAccepted);
  known.server.poll = 4;
  int heard = 0;
  for (int i = 1; i <= 8; ++i) {
    heard += known.hear(seconds(8) + seconds(16) * i).reason == ReplyReason::kAccepted ? 1 : 0;
  }
  EXPECT_EQ(heard, 6);
}

TEST_F(BroadcastExchangeTest, one_that_is_held_back_never_counts_when_the_way_is_measured) {
  static_cast<void>(it.calibrate({}));
  for (int i = 1; i <= 10; ++i) {
    const Reply held = it.hear(kInterval * i, ms(100));
    EXPECT_EQ(held.reason, ReplyReason::kImplausible);
    EXPECT_FALSE(held.has_times);
  }
  EXPECT_EQ(it.hear(kInterval * 12).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, what_a_broadcast_takes_beyond_its_way_is_within_its_error_bound) {
  static_cast<void>(it.calibrate({}));
  for (int i = 1; i <= 10; ++i) {
    const Reply heard = it.hear(kInterval * i, Duration::microseconds(600) * i);
    ASSERT_EQ(heard.reason, ReplyReason::kAccepted);
    EXPECT_LE((heard.sample.offset - kAhead).abs(), heard.sample.root_distance());
  }
  const Reply heard = known.hear({}, ms(4));
  EXPECT_LE((heard.sample.offset - kAhead).abs(), heard.sample.root_distance());
}

TEST_F(BroadcastExchangeTest, holding_back_more_and_more_gains_no_more_than_doing_it_at_once) {
  static_cast<void>(it.calibrate({}));
  Duration worst;
  for (int i = 1; i <= 15; ++i) {
    const Reply held = it.hear(kInterval * i, ms(4) * i);
    if (held.reason != ReplyReason::kAccepted) continue;
    worst = std::max(worst, (held.sample.offset - kAhead).abs());
  }
  // 5 ms, the way, and 65 parts in a million of a quarter of an hour.
  EXPECT_LE(worst, ms(8) + Duration::microseconds(62'400));
  EXPECT_GE(worst, ms(8));
}

TEST_F(BroadcastExchangeTest, a_server_that_set_its_clock_is_believed_when_it_says_so_itself) {
  static_cast<void>(it.calibrate({}));
  static_cast<void>(it.hear(kInterval));
  // Back by so much that its broadcasts look like replays.
  it.server.ahead = seconds(-500);
  EXPECT_EQ(it.hear(kInterval * 2).reason, ReplyReason::kReplayed);
  for (int i = 0; i <= kMaxStaleInARow; ++i) static_cast<void>(it.calibrate(seconds(130 + i)));
  const Reply heard = it.hear(kInterval * 3);
  ASSERT_EQ(heard.reason, ReplyReason::kAccepted);
  EXPECT_LE((heard.sample.offset + seconds(500)).abs(), ms(1));
}

TEST_F(BroadcastExchangeTest, a_broadcast_that_an_answer_overtakes_is_no_replay) {
  static_cast<void>(it.calibrate({}));
  const Octets broadcast = it.server.broadcast(kStart + kInterval - ms(1));
  static_cast<void>(it.calibrate(kInterval - kWay));
  EXPECT_EQ(it.receive(broadcast, kInterval + kWay - ms(1)).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, with_a_known_way_the_third_in_a_row_of_another_time_is_taken) {
  static_cast<void>(known.hear({}));
  known.server.ahead = kAhead + seconds(3);
  EXPECT_EQ(known.hear(kInterval).reason, ReplyReason::kImplausible);
  EXPECT_EQ(known.hear(kInterval * 2).reason, ReplyReason::kImplausible);
  EXPECT_EQ(known.hear(kInterval * 3).reason, ReplyReason::kAccepted);
  EXPECT_EQ(known.hear(kInterval * 4).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, the_pace_of_raw_time_counts_from_the_last_exchange_on) {
  // Raw time is slow by 400 parts in a million: in 900 s true time gains 360 ms.
  it.own->pace = {400e-6, 1'000};
  static_cast<void>(it.calibrate({}));
  it.server.ahead = kAhead + Duration::microseconds(360'000);
  EXPECT_EQ(it.hear(seconds(900)).reason, ReplyReason::kAccepted);
  it.server.ahead = kAhead;
  EXPECT_EQ(it.hear(seconds(1000)).reason, ReplyReason::kImplausible);
}

TEST_F(BroadcastExchangeTest, who_has_no_time_or_contradicts_itself_is_not_measured) {
  known.server.leap = Leap::kUnsynchronised;
  EXPECT_EQ(known.hear({}).reason, ReplyReason::kUnsynchronised);
  known.server.leap = Leap::kNone;
  wire::ntp::Header header = known.server.state(kStart + kInterval);
  header.mode = wire::ntp::Mode::kBroadcast;
  header.reference = to_ntp(kStart + kInterval * 2);
  EXPECT_EQ(known.receive(known.server.written(header), kInterval).reason,
            ReplyReason::kFutureReference);
  header.transmit = {};
  EXPECT_EQ(known.receive(known.server.written(header), kInterval * 2).reason,
            ReplyReason::kReplayed);
}

TEST_F(BroadcastExchangeTest, B10_a_time_before_any_that_is_possible_is_stale) {
  ExchangeConfig config;
  config.earliest = kStart + seconds(1000);
  BroadcastExchange exchange(config, kWay, known.own);
  const LocalTime now = at({});
  EXPECT_EQ(
      exchange.handle_datagram({now, now.raw}, known.server.broadcast(kStart), known.proof).reason,
      ReplyReason::kStaleTimestamp);
}

TEST_F(BroadcastExchangeTest, a_broadcast_does_not_end_the_waiting_for_an_answer) {
  static_cast<void>(it.calibrate({}));
  const Octets request = it.ask(kInterval);
  EXPECT_EQ(it.hear(kInterval).reason, ReplyReason::kAccepted);
  EXPECT_TRUE(it.exchange.waiting());
  EXPECT_EQ(
      it.receive(it.server.answer(request, kStart + kInterval + kWay), kInterval + kWay * 2).reason,
      ReplyReason::kAccepted);
  EXPECT_FALSE(it.exchange.waiting());
}

TEST_F(BroadcastExchangeTest, the_first_after_a_step_of_our_clock_is_not_measured) {
  static_cast<void>(known.hear({}));
  known.exchange.handle_clock_step();
  EXPECT_EQ(known.hear(kInterval).reason, ReplyReason::kLocalClockStepped);
  EXPECT_EQ(known.hear(kInterval * 2).reason, ReplyReason::kAccepted);
}

TEST_F(BroadcastExchangeTest, after_raw_time_was_lost_an_exchange_is_needed_again) {
  static_cast<void>(it.calibrate({}));
  it.exchange.forget_previous();
  EXPECT_EQ(it.hear(kInterval).reason, ReplyReason::kUncalibrated);
  static_cast<void>(it.calibrate(kInterval + seconds(1)));
  EXPECT_EQ(it.hear(kInterval * 2).reason, ReplyReason::kAccepted);
}

}  // namespace
}  // namespace timepool::ntp
