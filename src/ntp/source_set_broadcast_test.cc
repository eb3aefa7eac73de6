// A source of broadcasts within the source set: who becomes a member by being heard, how many, and
// how they go.
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "ntp/broadcast_test_support.h"
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

using Octets = TestBroadcaster::Octets;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();
constexpr Duration kWay = Duration::milliseconds(1);
constexpr Duration kInterval = Duration::seconds(64);

constexpr Duration seconds(std::int64_t count) {
  return Duration::seconds(count);
}
LocalTime at(Duration since) {
  return {MonoTime::from_ns(77'000'000'000) + since, kStart + since};
}
Endpoint host(unsigned number) {
  return {IpAddress::v4(0xc000'0200 + number), 123, 0};
}

class SourceSetBroadcastTest : public testing::Test {
 protected:
  SourceConfig config(Duration way = {}) {
    SourceConfig out;
    out.kind = SourceKind::kBroadcast;
    out.name = "broadcast%eth0";
    out.authenticated = true;
    out.key = 1;
    out.broadcast.from = {parse_prefix("192.0.2.0/24").value(), parse_prefix("fe80::/10").value()};
    out.broadcast.way = way;
    out.max_addresses = 4;
    out.poll = {10, 10, true};
    return out;
  }
  void listen(Duration way = {}) { source_ = set_.add(config(way), at({}).mono).value(); }

  // Lets time pass. Servers of `answering` answer what they are asked.
  void run_until(Duration since) {
    for (;;) {
      const MonoTime next = std::max(set_.next_deadline(), now_.mono);
      if (next > at(since).mono) break;
      now_ = at(next - at({}).mono);
      out_.clear();
      set_.handle_timer(now_, random_, out_);
      asked_ += out_.sends.size();
      const auto sends = out_.sends;
      for (const SendAction& send : sends) answer(send);
    }
    now_ = at(since);
  }
  void answer(const SendAction& send) {
    if (!answering_) return;
    const Octets bytes = server_.answer(send.bytes(), now_.raw + kWay);
    const LocalTime came{now_.mono + kWay * 2, now_.raw + kWay * 2};
    static_cast<void>(
        set_.handle_datagram(send.association, {came, came.raw}, bytes, random_, out_));
  }
  ReplyReason receive(const Octets& bytes, const Endpoint& from) {
    const LocalTime came{now_.mono + kWay, now_.raw + kWay};
    return set_.handle_broadcast(source_, from, {came, came.raw}, bytes, random_, out_);
  }
  ReplyReason hear(unsigned number = 1) {
    return receive(server_.broadcast(now_.raw), host(number));
  }
  std::size_t members() const {
    std::size_t out = 0;
    for (const SourceReport& report : set_.reports(now_.mono)) out += report.association != 0;
    return out;
  }
  SourceReport first() const { return set_.reports(now_.mono).front(); }

  SourceSet set_{SourceSetConfig{},
                 [](const Source&, const IpAddress&) { return std::make_unique<TestProof>(); }};
  SourceId source_ = 0;
  TestBroadcaster server_;
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
  LocalTime now_ = at({});
  bool answering_ = true;
  std::size_t asked_ = 0;
};

TEST_F(SourceSetBroadcastTest, a_server_that_is_heard_is_asked_how_far_it_is_and_then_measured) {
  server_.ahead = Duration::milliseconds(40);
  listen();
  EXPECT_EQ(first().kind, SourceKind::kBroadcast);
  EXPECT_EQ(first().association, 0u);
  EXPECT_EQ(hear(), ReplyReason::kUncalibrated);
  EXPECT_EQ(members(), 1u);
  for (int i = 1; i <= 8; ++i) {
    run_until(kInterval * i);
    EXPECT_EQ(hear(), ReplyReason::kAccepted);
  }
  const SourceReport report = first();
  EXPECT_EQ(report.reach, 0xff) << "each broadcast is a poll";
  EXPECT_EQ(report.poll, 6);
  EXPECT_TRUE(report.authenticated);
  EXPECT_EQ(report.status, SourceStatus::kSelected);
  EXPECT_LE((report.estimate.offset - Duration::milliseconds(40)).abs(),
            Duration::microseconds(100));
  // A burst of eight at the most; the next is due after a quarter of an hour.
  EXPECT_GE(asked_, 4u);
  EXPECT_LE(asked_, 8u);
}

TEST_F(SourceSetBroadcastTest, all_who_hear_one_do_not_ask_at_once) {
  listen();
  static_cast<void>(hear());
  run_until(Duration::milliseconds(100));
  EXPECT_EQ(asked_, 0u);
  run_until(seconds(33));
  EXPECT_GE(asked_, 1u);
}

TEST_F(SourceSetBroadcastTest, with_a_known_way_nobody_is_asked) {
  listen(kWay);
  for (int i = 0; i < 10; ++i) {
    run_until(kInterval * i);
    EXPECT_EQ(hear(), ReplyReason::kAccepted);
  }
  EXPECT_EQ(asked_, 0u);
  EXPECT_EQ(first().status, SourceStatus::kSelected);
  EXPECT_EQ(first().reach, 0xff);
}

TEST_F(SourceSetBroadcastTest, B33_only_hosts_of_the_prefixes_are_heard) {
  listen();
  const Octets packet = server_.broadcast(now_.raw);
  EXPECT_EQ(receive(packet, {IpAddress::v4(0xc633'6401), 123, 0}), ReplyReason::kWrongSender);
  EXPECT_EQ(receive(packet, {parse_ip("2001:db8::1").value(), 123, 0}), ReplyReason::kWrongSender);
  EXPECT_EQ(receive(packet, {host(1).address, 0, 0}), ReplyReason::kWrongSender);
  EXPECT_EQ(receive(packet, {parse_ip("224.0.1.1").value(), 123, 0}), ReplyReason::kWrongSender);
  EXPECT_EQ(members(), 0u);
  EXPECT_EQ(receive(packet, {parse_ip("fe80::7").value(), 123, 3}), ReplyReason::kUncalibrated);
  ASSERT_EQ(members(), 1u);
  EXPECT_EQ(first().server->scope_id, 3u) << "requests go to the same interface";
}

TEST_F(SourceSetBroadcastTest, B33_what_the_key_does_not_prove_makes_no_source) {
  listen();
  server_.proof = TestProof(2);
  EXPECT_EQ(hear(), ReplyReason::kNotAuthentic);
  Octets bare = server_.broadcast(now_.raw);
  bare.resize(wire::ntp::kHeaderSize);
  EXPECT_EQ(receive(bare, host(1)), ReplyReason::kNotAuthentic);
  EXPECT_EQ(members(), 0u);
  EXPECT_EQ(set_.count(ReplyReason::kNotAuthentic), 2u);
}

TEST_F(SourceSetBroadcastTest, B33_a_source_of_broadcasts_needs_a_key) {
  SourceConfig open = config();
  open.authenticated = false;
  EXPECT_EQ(set_.add(open, at({}).mono).error(), ChangeError::kLimits);
  EXPECT_EQ(broken_limit(open), "broadcasts need a key (RFC 8633 5.5)");
}

TEST_F(SourceSetBroadcastTest, only_broadcasts_make_a_source) {
  listen();
  EXPECT_EQ(receive(server_.written(server_.state(now_.raw)), host(1)), ReplyReason::kWrongMode);
  EXPECT_EQ(receive(Octets(7), host(1)), ReplyReason::kTooShort);
  EXPECT_EQ(members(), 0u);
}

TEST_F(SourceSetBroadcastTest, a_flood_of_servers_is_bounded) {
  listen();
  for (unsigned i = 1; i <= 100; ++i) {
    now_ = at(Duration::milliseconds(i));
    EXPECT_EQ(hear(i), i <= 4 ? ReplyReason::kUncalibrated : ReplyReason::kNotTaken);
  }
  EXPECT_EQ(members(), 4u);
}

TEST_F(SourceSetBroadcastTest, a_recorded_broadcast_brings_up_no_second_server) {
  listen();
  const Octets packet = server_.broadcast(now_.raw);
  EXPECT_EQ(receive(packet, host(1)), ReplyReason::kUncalibrated);
  for (unsigned i = 2; i < 100; ++i) EXPECT_EQ(receive(packet, host(i)), ReplyReason::kReplayed);
  EXPECT_EQ(members(), 1u);
  run_until(kInterval);
  const Octets later = server_.broadcast(now_.raw);
  EXPECT_EQ(receive(later, host(1)), ReplyReason::kAccepted);
  EXPECT_EQ(receive(later, host(2)), ReplyReason::kReplayed);
}

TEST_F(SourceSetBroadcastTest, another_port_of_a_member_and_who_is_a_source_already_are_not_taken) {
  SourceConfig server;
  server.name = "192.0.2.9";
  ASSERT_TRUE(set_.add(server, at({}).mono).ok());
  listen();
  run_until(seconds(1));
  EXPECT_EQ(hear(9), ReplyReason::kNotTaken);
  EXPECT_EQ(hear(1), ReplyReason::kUncalibrated);
  now_ = at(seconds(2));
  EXPECT_EQ(receive(server_.broadcast(now_.raw), {host(1).address, 4123, 0}),
            ReplyReason::kNotTaken);
}

TEST_F(SourceSetBroadcastTest, our_own_broadcasts_are_none_of_a_server) {
  listen();
  OwnIdentity own;
  own.addresses = {host(1).address, parse_ip("fe80::1").value()};
  own.serves = {{IpAddress::any(IpFamily::kV4), 123, 0}, {IpAddress::any(IpFamily::kV6), 123, 0}};
  set_.set_own_identity(own);
  EXPECT_EQ(hear(1), ReplyReason::kReflected);
  EXPECT_EQ(receive(server_.broadcast(now_.raw), {parse_ip("fe80::1").value(), 123, 2}),
            ReplyReason::kReflected);
  EXPECT_EQ(members(), 0u);
}

TEST_F(SourceSetBroadcastTest, who_broadcasts_no_more_goes_and_comes_back_when_it_does) {
  for (const Duration way : {Duration(), kWay}) {
    listen(way);
    static_cast<void>(hear());
    run_until(now_.raw - kStart + kInterval);
    EXPECT_EQ(hear(), ReplyReason::kAccepted);
    run_until(now_.raw - kStart + kInterval * 8);
    EXPECT_EQ(members(), 1u);
    EXPECT_EQ(first().reach & 0x7f, 0);
    run_until(now_.raw - kStart + kInterval);
    EXPECT_EQ(members(), 0u);
    EXPECT_NE(hear(), ReplyReason::kNotTaken);
    EXPECT_EQ(members(), 1u);
    ASSERT_TRUE(set_.remove(source_, now_.mono).ok());
  }
}

TEST_F(SourceSetBroadcastTest, who_never_answers_loses_its_place_for_a_while) {
  listen();
  answering_ = false;
  static_cast<void>(hear());
  run_until(seconds(60));
  EXPECT_EQ(members(), 0u);
  EXPECT_LE(asked_, 9u);
  const std::size_t asked = asked_;
  for (int i = 1; i < 10; ++i) {
    run_until(kInterval * i);
    EXPECT_EQ(hear(), ReplyReason::kUnmeasurable);
  }
  EXPECT_EQ(asked_, asked);
  answering_ = true;
  run_until(seconds(1200));
  EXPECT_EQ(hear(), ReplyReason::kUncalibrated);
}

TEST_F(SourceSetBroadcastTest, a_hundred_servers_that_never_answer_get_few_requests) {
  listen();
  answering_ = false;
  for (unsigned i = 0; i < 100; ++i) {
    run_until(seconds(10) * i);
    static_cast<void>(hear(i + 1));
  }
  // Four places, eight requests and one more of each, half a minute apart at the least.
  EXPECT_LE(asked_, 4u * 9u * 1000u / 16u);
  EXPECT_LE(members(), 4u);
}

TEST_F(SourceSetBroadcastTest, one_that_is_implausible_has_its_server_asked_once_a_minute_at_most) {
  listen();
  static_cast<void>(hear());
  run_until(kInterval * 3);
  EXPECT_EQ(hear(), ReplyReason::kAccepted);
  const std::size_t asked = asked_;
  server_.poll = 2;
  const Duration begin = now_.raw - kStart;
  for (int i = 1; i <= 80; ++i) {
    run_until(begin + seconds(64) + seconds(4) * i);
    // A second late.
    const Octets late = server_.broadcast(now_.raw - seconds(1));
    EXPECT_EQ(receive(late, host(1)), ReplyReason::kImplausible);
  }
  EXPECT_GE(asked_ - asked, 4u);
  EXPECT_LE(asked_ - asked, 7u);
}

TEST_F(SourceSetBroadcastTest, offline_nobody_is_heard) {
  listen();
  static_cast<void>(hear(1));
  run_until(kInterval);
  EXPECT_GE(set_.set_online(SourceMatch("broadcast%eth0"), false, now_.mono), 1u);
  EXPECT_EQ(hear(1), ReplyReason::kUnsolicited);
  EXPECT_EQ(hear(2), ReplyReason::kUnsolicited);
  run_until(kInterval * 20);
  set_.set_online(SourceMatch("broadcast%eth0"), true, now_.mono);
  run_until(kInterval * 20 + seconds(40));
  EXPECT_EQ(hear(1), ReplyReason::kAccepted);
}

TEST_F(SourceSetBroadcastTest, fewer_places_are_taken_away_again) {
  listen();
  for (unsigned i = 1; i <= 4; ++i) {
    now_ = at(Duration::milliseconds(i));
    static_cast<void>(hear(i));
  }
  SourceConfig fewer = config();
  fewer.max_addresses = 2;
  ASSERT_TRUE(set_.change(source_, fewer, now_.mono).ok());
  EXPECT_EQ(members(), 2u);
}

TEST_F(SourceSetBroadcastTest, nobody_listens_for_a_source_that_is_none_of_broadcasts) {
  SourceConfig server;
  server.name = "192.0.2.9";
  source_ = set_.add(server, at({}).mono).value();
  EXPECT_EQ(hear(1), ReplyReason::kUnsolicited);
  source_ = kNoSource;
  EXPECT_EQ(hear(1), ReplyReason::kUnsolicited);
}

}  // namespace
}  // namespace timepool::ntp
