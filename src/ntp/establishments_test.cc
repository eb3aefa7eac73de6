#include "ntp/establishments.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(77'000'000'000) + Duration::seconds(seconds);
}

EstablishmentWish wish_for(std::uint32_t host, AssociationId member = 0) {
  EstablishmentWish out;
  out.source = 3;
  out.with = {"time.test", kKeyPort, IpAddress::v4(0xc0000200 + host)};
  out.member = member;
  return out;
}

class EstablishmentsTest : public testing::Test {
 protected:
  // What begins at that time.
  std::vector<EstablishAction> begin(std::int64_t seconds) {
    Outbox out;
    all_.begin(at(seconds), random_, out);
    return {out.establishes.begin(), out.establishes.end()};
  }
  static EstablishmentResult good() {
    EstablishmentResult out;
    out.established = true;
    return out;
  }

  Establishments all_;
  RandomStream random_{{1, 2}};
};

TEST_F(EstablishmentsTest, begin_once_and_end_once) {
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(begun[0].server, (Endpoint{IpAddress::v4(0xc0000201), kKeyPort, 0}));
  EXPECT_TRUE(begin(1000).empty());
  EXPECT_TRUE(all_.finish(begun[0].id, good(), at(1)));
  EXPECT_FALSE(all_.finish(begun[0].id, good(), at(1)));
}

TEST_F(EstablishmentsTest, tells_of_the_last_attempt_and_of_the_last_that_gave_keys) {
  const nts::KeyServer server = wish_for(1).with;
  EXPECT_FALSE(all_.last_begun(server));
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  EXPECT_EQ(all_.last_begun(server), at(0));
  static_cast<void>(all_.finish(begun[0].id, {}, at(1)));
  EXPECT_FALSE(all_.last_established(server));
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto again = begin(100);
  static_cast<void>(all_.finish(again[0].id, good(), at(101)));
  EXPECT_EQ(all_.last_begun(server), at(100));
  EXPECT_EQ(all_.last_established(server), at(101));
}

TEST_F(EstablishmentsTest, KEC7_each_server_has_its_own_schedule) {
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  static_cast<void>(all_.finish(begun[0].id, {}, at(1)));
  EXPECT_TRUE(all_.want(wish_for(1)));
  EXPECT_TRUE(all_.want(wish_for(2)));
  EXPECT_EQ(begin(5).size(), 1U) << "the other";
  EXPECT_GE(all_.next(), at(10));
  EXPECT_LE(all_.next(), at(13));
  EXPECT_EQ(begin(13).size(), 1U);
}

TEST_F(EstablishmentsTest, KEC7_the_schedule_is_forgotten_after_keys_and_an_answer_by_them) {
  const nts::KeyServer server = wish_for(1).with;
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  static_cast<void>(all_.finish(begun[0].id, good(), at(1)));
  EXPECT_EQ(all_.attempts(server), 1U);
  all_.authenticated(server, at(1));
  EXPECT_EQ(all_.attempts(server), 0U);
}

TEST_F(EstablishmentsTest, the_whole_client_has_a_budget) {
  for (std::uint32_t host = 0; host < 20; ++host) EXPECT_TRUE(all_.want(wish_for(host)));
  EXPECT_EQ(begin(100).size(), 8U);
  EXPECT_TRUE(begin(101).empty());
  EXPECT_EQ(all_.next(), at(102));
  EXPECT_EQ(begin(102).size(), 1U);
  EXPECT_EQ(begin(106).size(), 2U);
}

TEST_F(EstablishmentsTest, one_that_is_never_answered_is_given_up) {
  EXPECT_TRUE(all_.want(wish_for(1, 7)));
  static_cast<void>(begin(0));
  EXPECT_TRUE(all_.take_lost(at(59)).empty());
  EXPECT_TRUE(all_.wants_for(7));
  EXPECT_EQ(all_.take_lost(at(60)).size(), 1U);
  EXPECT_FALSE(all_.wants_for(7));
}

TEST_F(EstablishmentsTest, what_was_not_sent_is_no_attempt) {
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  EstablishmentResult unsent;
  unsent.unsent = true;
  static_cast<void>(all_.finish(begun[0].id, unsent, at(1)));
  EXPECT_EQ(all_.attempts(wish_for(1).with), 0U);
  EXPECT_EQ(all_.allowed(wish_for(1).with), at(10));
}

TEST_F(EstablishmentsTest, wishes_and_schedules_are_bounded) {
  for (std::uint32_t host = 0; host < 1000; ++host) {
    static_cast<void>(all_.want(wish_for(host)));
    for (const EstablishAction& action : begin(100 + host * 10)) {
      static_cast<void>(all_.finish(action.id, {}, at(1)));
    }
  }
  EXPECT_LE(all_.saved(at(0), UnixTime()).size(), Establishments::kMaxSchedules);
  std::size_t taken = 0;
  for (std::uint32_t host = 0; host < 1000; ++host) taken += all_.want(wish_for(host)) ? 1U : 0U;
  EXPECT_LE(taken, Establishments::kMaxWishes);
}

TEST_F(EstablishmentsTest, schedules_survive_a_restart) {
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  static_cast<void>(all_.finish(begun[0].id, {}, at(1)));
  const UnixTime clock = UnixTime::from_seconds(1'790'000'000);
  const auto saved = all_.saved(at(1), clock);
  ASSERT_EQ(saved.size(), 1U);
  Establishments next;
  next.set_saved(saved, at(500), clock + Duration::seconds(4));
  EXPECT_EQ(next.attempts(wish_for(1).with), 1U);
  EXPECT_GE(next.allowed(wish_for(1).with), at(505));
}

TEST_F(EstablishmentsTest, a_source_that_goes_takes_its_wishes_along) {
  EXPECT_TRUE(all_.want(wish_for(1)));
  const auto begun = begin(0);
  all_.forget(3);
  EXPECT_FALSE(all_.finish(begun[0].id, good(), at(1)));
}

}  // namespace
}  // namespace timepool::ntp
