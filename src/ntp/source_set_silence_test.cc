// Who counts while some are silent: at the start, and after they agreed (ADR 0025).
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "ntp/server/responder.h"
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const Duration kLie = Duration::milliseconds(500);
const Duration kSecond = Duration::seconds(1);

// Servers 192.0.2.1 and so on, each asked by its address, on a clock without error.
class Silence : public testing::Test {
 protected:
  static Endpoint server(std::size_t number) {
    return {IpAddress::v4(0xc0000200 + static_cast<std::uint32_t>(number)), 123, 0};
  }
  void add(std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i) {
      SourceConfig config;
      config.name = format(server(i).address);
      config.poll.maxpoll = 6;
      ASSERT_TRUE(set_.add(config, now().mono).ok());
    }
  }
  LocalTime now() const { return {MonoTime::from_ns(77'000'000'000) + since_, kStart + since_}; }

  // Whoever is not silent answers, with the time or a lie.
  void run_until(Duration end) {
    while (set_.next_deadline() <= MonoTime::from_ns(77'000'000'000) + end) {
      since_ = std::max(since_, set_.next_deadline() - MonoTime::from_ns(77'000'000'000));
      Outbox out;
      set_.handle_timer(now(), random_, out);
      for (const SendAction& send : out.sends) answer(send);
      if (tracking().synchronised && !first_) first_ = since_;
      ever_lost_ = ever_lost_ || (first_ && !tracking().synchronised);
      worst_ = std::max(worst_, tracking().offset.abs());
    }
    since_ = end;
  }
  void answer(const SendAction& send) {
    if (unrouted_.contains(send.to.address)) {
      return set_.handle_send_failure(send.association, now().mono);
    }
    if (silent_.contains(send.to.address)) return;
    ServerState state;
    state.leap = wire::ntp::Leap::kNone;
    state.stratum = 1;
    state.reference_time = kStart;
    if (liars_.contains(send.to.address)) state.test_offset = kLie;
    std::vector<std::byte> bytes(wire::ntp::kHeaderSize);
    const UnixTime middle = now().raw + Duration::milliseconds(5);
    respond({middle, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, send.bytes(), state, bytes);
    set_transmit(bytes, state, middle);
    since_ += Duration::milliseconds(10);
    Outbox out;
    static_cast<void>(
        set_.handle_datagram(send.association, {now(), now().raw}, bytes, random_, out));
  }
  Tracking tracking() const { return set_.tracking(now().mono); }
  Cause cause_of(std::size_t number) const {
    for (const SourceReport& report : set_.reports(now().mono)) {
      if (report.server == server(number)) return report.cause;
    }
    ADD_FAILURE() << "no server " << number;
    return Cause::kNoSamples;
  }
  void silence(std::set<std::size_t> numbers) {
    silent_.clear();
    for (const std::size_t number : numbers) silent_.insert(server(number).address);
  }
  void turn(std::set<std::size_t> numbers) {
    for (const std::size_t number : numbers) liars_.insert(server(number).address);
  }

  SourceSet set_{SourceSetConfig{}};
  RandomStream random_{SiphashKey{1, 2}};
  Duration since_;
  std::set<IpAddress> silent_;
  std::set<IpAddress> unrouted_;
  std::set<IpAddress> liars_;
  std::optional<Duration> first_;  // when there was a reference
  bool ever_lost_ = false;
  Duration worst_;
};

TEST_F(Silence, a_majority_of_all_is_followed_at_once) {
  add(5);
  silence({4, 5});
  run_until(kSecond);
  EXPECT_TRUE(tracking().synchronised);
}

TEST_F(Silence, the_quickest_wait_for_the_others_at_the_start_and_not_for_ever) {
  add(5);
  silence({3, 4, 5});
  run_until(kStartPatience - kSecond);
  EXPECT_FALSE(tracking().synchronised);
  EXPECT_EQ(set_.agreement(), Agreement::kUndecided);
  run_until(kStartPatience + kSecond);
  EXPECT_TRUE(tracking().synchronised);
}

TEST_F(Silence, liars_who_answer_first_are_outvoted_when_the_others_come_within_the_patience) {
  add(5);
  turn({1, 2});
  silence({3, 4, 5});
  run_until(Duration::seconds(10));
  silence({});
  run_until(Duration::seconds(120));
  EXPECT_TRUE(tracking().synchronised);
  EXPECT_LT(worst_, Duration::milliseconds(10));
  EXPECT_EQ(cause_of(1), Cause::kFalseticker);
}

TEST_F(Silence, a_server_without_a_route_does_not_hold_up_the_other) {
  add(2);
  unrouted_.insert(server(2).address);
  run_until(kStartPatience + kSecond);
  EXPECT_TRUE(tracking().synchronised);
}

TEST_F(Silence, after_lost_time_all_are_waited_for_again) {
  add(5);
  run_until(Duration::seconds(300));
  set_.handle_time_lost(now().mono);
  silence({3, 4, 5});
  turn({1, 2});
  first_.reset();
  run_until(since_ + kStartPatience - kSecond);
  EXPECT_FALSE(first_);
}

TEST_F(Silence, a_silent_majority_still_outvotes_liars_and_after_an_hour_no_more) {
  add(5);
  run_until(Duration::seconds(1000));
  silence({3, 4, 5});
  turn({1, 2});
  // The last agreement of a silent one is at its eighth request in vain, two minutes later or so.
  run_until(Duration::seconds(1000) + kRememberedFor);
  EXPECT_LT(worst_, Duration::milliseconds(10));
  EXPECT_FALSE(tracking().synchronised);
  EXPECT_EQ(cause_of(1), Cause::kFalseticker);
  EXPECT_EQ(cause_of(3), Cause::kRemembered);
  run_until(Duration::seconds(1300) + kRememberedFor);
  EXPECT_TRUE(tracking().synchronised);
  EXPECT_EQ(cause_of(3), Cause::kUnreachable);
}

TEST_F(Silence, honest_ones_who_are_left_are_followed_without_a_break) {
  add(5);
  run_until(Duration::seconds(1000));
  silence({3, 4, 5});
  run_until(Duration::seconds(9000));
  EXPECT_FALSE(ever_lost_);
  EXPECT_EQ(tracking().survivors, 2u);
  EXPECT_EQ(cause_of(3), Cause::kUnreachable);
}

TEST_F(Silence, a_falseticker_that_falls_silent_is_not_remembered) {
  add(3);
  turn({3});
  run_until(Duration::seconds(1000));
  ASSERT_EQ(cause_of(3), Cause::kFalseticker);
  silence({3});
  run_until(Duration::seconds(2000));
  EXPECT_EQ(cause_of(3), Cause::kUnreachable);
}

TEST_F(Silence, who_is_offline_by_command_is_not_remembered) {
  add(3);
  run_until(Duration::seconds(1000));
  EXPECT_EQ(set_.set_online(SourceMatch("192.0.2.3"), false, now().mono), 1u);
  run_until(Duration::seconds(1500));
  EXPECT_EQ(cause_of(3), Cause::kUnreachable);
}

}  // namespace
}  // namespace timepool::ntp
