#include "ntp/association.h"

#include <gtest/gtest.h>

#include <vector>

#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

using Octets = std::vector<std::byte>;

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(77'000'000'000) + since, kStart + since};
}

class AssociationTest : public testing::Test {
 protected:
  AssociationTest() {
    config_.server = {IpAddress::v4(0xc0000201), 123, 0};
    config_.poll = {4, 6, false};
    make();
  }
  void make() {
    association_ = std::make_unique<Association>(9, config_, std::make_unique<NoAuthentication>(),
                                                 local_at({}).mono);
  }
  // Runs the timer at this time; the request that was sent, or nothing.
  Octets timer(Duration since) {
    out_.clear();
    association_->handle_timer(local_at(since), random_, out_);
    if (out_.sends.empty()) return {};
    const Bytes bytes = out_.sends[0].bytes();
    return {bytes.begin(), bytes.end()};
  }
  Duration until_deadline() const { return association_->next_deadline() - local_at({}).mono; }
  ReplyReason reply(const Octets& request, Duration since) {
    ServerState state;
    state.leap = wire::ntp::Leap::kNone;
    state.stratum = 1;
    state.reference_time = kStart;
    Octets bytes(wire::ntp::kHeaderSize);
    const UnixTime middle = kStart + since - Duration::milliseconds(5);
    respond({middle, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, request, state, bytes);
    set_transmit(bytes, state, middle);
    return receive(bytes, since);
  }
  ReplyReason receive(const Octets& bytes, Duration since) {
    out_.clear();
    const LocalTime now = local_at(since);
    return association_->handle_datagram({now, now.raw}, bytes, random_, out_);
  }

  AssociationConfig config_;
  std::unique_ptr<Association> association_;
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
};

constexpr Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}

TEST_F(AssociationTest, asks_at_once_and_names_itself_and_the_server) {
  EXPECT_EQ(until_deadline(), Duration());
  EXPECT_EQ(timer({}).size(), 48u);
  EXPECT_EQ(out_.sends[0].association, 9u);
  EXPECT_EQ(out_.sends[0].to, config_.server);
  EXPECT_EQ(association_->requests(), 1u);
}

TEST_F(AssociationTest, nothing_happens_before_the_deadline) {
  static_cast<void>(timer({}));
  EXPECT_TRUE(timer(ms(1)).empty());
  EXPECT_EQ(association_->unanswered(), 0u);
}

TEST_F(AssociationTest, an_accepted_reply_sets_reach_and_gives_an_estimate) {
  const Octets request = timer({});
  EXPECT_FALSE(association_->measurable());
  EXPECT_EQ(reply(request, ms(10)), ReplyReason::kAccepted);
  EXPECT_EQ(association_->reach(), 1);
  EXPECT_TRUE(association_->ever_answered());
  EXPECT_TRUE(association_->measurable());
  ASSERT_EQ(out_.events.size(), 1u);
  EXPECT_EQ(out_.events[0].kind, EventKind::kReachable);
  EXPECT_EQ(association_->count(ReplyReason::kAccepted), 1u);
}

TEST_F(AssociationTest, F7_a_miss_is_counted_after_the_reply_timeout_and_an_answer_resets_it) {
  static_cast<void>(timer({}));
  EXPECT_EQ(until_deadline(), Duration::seconds(2));
  EXPECT_TRUE(timer(Duration::seconds(2)).empty());
  EXPECT_EQ(association_->unanswered(), 1u);
  EXPECT_TRUE(timer(Duration::seconds(3)).empty());
  EXPECT_EQ(association_->unanswered(), 1u);
  const Duration next = until_deadline();
  const Octets second = timer(next);
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(reply(second, next + ms(10)), ReplyReason::kAccepted);
  EXPECT_EQ(association_->unanswered(), 0u);
}

TEST_F(AssociationTest, a_reply_after_the_timeout_is_still_taken) {
  const Octets request = timer({});
  static_cast<void>(timer(Duration::seconds(2)));
  EXPECT_EQ(reply(request, ms(2500)), ReplyReason::kAccepted);
  EXPECT_EQ(association_->unanswered(), 0u);
}

TEST_F(AssociationTest, eight_requests_in_vain_make_it_unreachable) {
  EXPECT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  int requests = 0;
  bool said = false;
  for (int i = 0; i < 100 && requests < 8; ++i) {
    if (!timer(until_deadline()).empty()) ++requests;
    for (const Event& event : out_.events) said |= event.kind == EventKind::kUnreachable;
  }
  EXPECT_EQ(association_->reach(), 0);
  // The eighth may still be answered.
  EXPECT_FALSE(said);
  EXPECT_TRUE(association_->measurable());
  static_cast<void>(timer(until_deadline()));
  for (const Event& event : out_.events) said |= event.kind == EventKind::kUnreachable;
  EXPECT_TRUE(said);
  EXPECT_FALSE(association_->measurable());
  EXPECT_TRUE(association_->has_samples());
}

TEST_F(AssociationTest, each_request_has_another_timestamp) {
  const Octets first = timer({});
  const Octets second = timer(Duration::seconds(100));
  ASSERT_FALSE(second.empty());
  EXPECT_NE(first, second);
  EXPECT_EQ(reply(first, Duration::seconds(100) + ms(10)), ReplyReason::kLate);
}

TEST_F(AssociationTest, a_full_outbox_puts_the_request_off) {
  for (std::size_t i = 0; i < kMaxSends; ++i) ASSERT_TRUE(out_.sends.push_back({}));
  association_->handle_timer(local_at({}), random_, out_);
  EXPECT_EQ(association_->requests(), 0u);
  EXPECT_EQ(until_deadline(), Duration());
  EXPECT_FALSE(timer({}).empty());
}

TEST_F(AssociationTest, B30_a_denied_association_is_silent_for_an_hour) {
  const Octets request = timer({});
  Octets kiss(wire::ntp::kHeaderSize);
  ServerState state;
  respond({kStart, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, request, state, kiss);
  std::copy_n(std::as_bytes(std::span("DENY", 4)).begin(), 4, kiss.begin() + 12);
  EXPECT_EQ(receive(kiss, ms(10)), ReplyReason::kKissDeny);
  EXPECT_TRUE(association_->denied());
  EXPECT_GE(until_deadline(), kDeniedPause);
  EXPECT_EQ(association_->unanswered(), 0u);
}

TEST_F(AssociationTest, lost_time_drops_the_samples_and_asks_again) {
  config_.poll.iburst = true;
  make();
  EXPECT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  association_->handle_time_lost(local_at(ms(20)).mono);
  EXPECT_FALSE(association_->has_samples());
  EXPECT_LE(until_deadline(), ms(20));
}

TEST_F(AssociationTest, offline_is_silent_deaf_and_unreachable_but_blameless) {
  config_.poll.iburst = true;
  make();
  EXPECT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  const Octets second = timer(Duration::seconds(2));
  ASSERT_FALSE(second.empty());
  association_->set_online(false, local_at(ms(2001)).mono);
  EXPECT_EQ(association_->next_deadline(), MonoTime::max());
  EXPECT_FALSE(association_->measurable());
  EXPECT_EQ(reply(second, ms(2010)), ReplyReason::kLate);
  EXPECT_TRUE(timer(Duration::seconds(10'000)).empty());
  EXPECT_EQ(association_->unanswered(), 0u);
  association_->set_online(true, local_at(Duration::seconds(10'000)).mono);
  EXPECT_FALSE(timer(Duration::seconds(10'000)).empty());
  EXPECT_TRUE(association_->in_burst());
}

TEST_F(AssociationTest, B30_going_online_does_not_end_a_denial) {
  const Octets request = timer({});
  Octets kiss(wire::ntp::kHeaderSize);
  respond({kStart, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, request, ServerState{}, kiss);
  std::copy_n(std::as_bytes(std::span("RSTR", 4)).begin(), 4, kiss.begin() + 12);
  EXPECT_EQ(receive(kiss, ms(10)), ReplyReason::kKissRstr);
  association_->set_online(false, local_at(ms(20)).mono);
  association_->set_online(true, local_at(ms(30)).mono);
  EXPECT_GE(until_deadline(), kDeniedPause);
}

TEST_F(AssociationTest, presend_sends_a_packet_that_is_no_request_before_each_request) {
  config_.poll = {4, 4, false};
  config_.poll.presend = 4;
  make();
  EXPECT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  const Duration first = until_deadline();
  const Octets warm_up = timer(first);
  ASSERT_EQ(warm_up.size(), 48u);
  EXPECT_EQ(association_->requests(), 1u);
  EXPECT_EQ(reply(warm_up, first + ms(500)), ReplyReason::kWarmUp);
  EXPECT_EQ(until_deadline() - first, kWarmUpLead);
  const Octets request = timer(until_deadline());
  EXPECT_EQ(association_->requests(), 2u);
  EXPECT_EQ(reply(request, first + kWarmUpLead + ms(10)), ReplyReason::kAccepted);
}

TEST_F(AssociationTest, B30_RATE_in_a_burst_stops_the_burst_and_keeps_the_source) {
  config_.poll = {4, 10, true};
  make();
  EXPECT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  const Octets second = timer(Duration::seconds(2));
  Octets kiss(wire::ntp::kHeaderSize);
  respond({kStart, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, second, ServerState{}, kiss);
  std::copy_n(std::as_bytes(std::span("RATE", 4)).begin(), 4, kiss.begin() + 12);
  EXPECT_EQ(receive(kiss, ms(2010)), ReplyReason::kKissRate);
  EXPECT_FALSE(association_->in_burst());
  EXPECT_FALSE(association_->denied());
  EXPECT_TRUE(association_->measurable());
  EXPECT_EQ(association_->poll(), 5);
  EXPECT_GE(until_deadline() - ms(2010), Duration::seconds(29));
}

TEST_F(AssociationTest, CVE_2016_4953_to_4956_forged_packets_change_no_counter_but_their_own) {
  const Octets request = timer({});
  const std::uint8_t reach = association_->reach();
  const MonoTime deadline = association_->next_deadline();
  Octets forged(wire::ntp::kHeaderSize);
  for (int mode = 0; mode < 8; ++mode) {
    forged[0] = static_cast<std::byte>(0x20 | mode);
    EXPECT_FALSE(is_answer(receive(forged, ms(5)))) << mode;
  }
  EXPECT_EQ(association_->reach(), reach);
  EXPECT_EQ(association_->unusable(), 0u);
  EXPECT_EQ(association_->unanswered(), 0u);
  EXPECT_EQ(association_->next_deadline(), deadline);
  EXPECT_EQ(reply(request, ms(10)), ReplyReason::kAccepted);
}

TEST_F(AssociationTest, a_server_that_says_nothing_useful_is_answered_but_unusable) {
  const Octets request = timer({});
  Octets bytes(wire::ntp::kHeaderSize);
  respond({kStart, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, request, ServerState{}, bytes);
  EXPECT_EQ(receive(bytes, ms(10)), ReplyReason::kUnsynchronised);
  EXPECT_EQ(association_->unusable(), 1u);
  EXPECT_EQ(association_->reach(), 0);
  EXPECT_TRUE(association_->decided());
}

// Two servers that answer each other's replies for ever; a client that answers is a third.
TEST_F(AssociationTest, no_datagram_of_any_kind_is_answered) {
  const Octets request = timer({});
  for (int first = 0; first < 256; ++first) {
    for (const std::size_t length : {0u, 1u, 47u, 48u, 52u, 68u, 1000u}) {
      Octets datagram(length, static_cast<std::byte>(first));
      if (length >= 48) std::copy_n(request.begin() + 40, 8, datagram.begin() + 24);
      static_cast<void>(receive(datagram, ms(5)));
      EXPECT_TRUE(out_.sends.empty());
    }
  }
}

TEST_F(AssociationTest, neither_the_time_nor_the_leap_of_a_kiss_is_believed) {
  config_.poll.iburst = true;
  make();
  const Octets request = timer({});
  ServerState state;
  state.leap = wire::ntp::Leap::kInsert;
  state.stratum = 1;
  state.reference_time = kStart;
  state.test_offset = Duration::seconds(100);
  Octets kiss(wire::ntp::kHeaderSize);
  respond({kStart, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, request, state, kiss);
  set_transmit(kiss, state, kStart);
  kiss[1] = std::byte{0};  // stratum
  std::copy_n(std::as_bytes(std::span("RATE", 4)).begin(), 4, kiss.begin() + 12);
  EXPECT_EQ(receive(kiss, ms(10)), ReplyReason::kKissRate);
  EXPECT_FALSE(association_->has_samples());
  EXPECT_FALSE(association_->reachable());
}

TEST_F(AssociationTest, a_reply_slower_than_the_source_allows_is_an_answer_but_no_sample) {
  config_.filter.max_delay_ratio = 4;
  make();
  ASSERT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  const Duration next = until_deadline();
  ASSERT_EQ(reply(timer(next), next + ms(60)), ReplyReason::kTooDelayed);
  EXPECT_EQ(association_->unusable(), 0u);
  EXPECT_EQ(association_->unanswered(), 0u);
  EXPECT_EQ(association_->reach(), 3u);
  EXPECT_EQ(association_->estimate(local_at(next).mono).count, 1u);
}

TEST_F(AssociationTest, a_median_filter_makes_one_sample_of_several) {
  config_.filter.median_of = 3;
  make();
  Duration at;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(association_->has_samples());
    ASSERT_EQ(reply(timer(at), at + ms(10)), ReplyReason::kAccepted);
    at = until_deadline();
  }
  EXPECT_EQ(association_->estimate(local_at(at).mono).count, 1u);
}

// A liar that is the first to answer after a suspend would else be the whole majority.
TEST_F(AssociationTest, when_time_was_lost_it_is_waited_for_as_at_the_start) {
  ASSERT_EQ(reply(timer({}), ms(10)), ReplyReason::kAccepted);
  ASSERT_TRUE(association_->decided());
  association_->handle_time_lost(local_at(ms(20)).mono);
  EXPECT_FALSE(association_->decided());
  EXPECT_TRUE(association_->ever_answered());
  ASSERT_EQ(reply(timer(ms(30)), ms(40)), ReplyReason::kAccepted);
  EXPECT_TRUE(association_->decided());
}

}  // namespace
}  // namespace timepool::ntp
