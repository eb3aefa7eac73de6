#include "monitord/nts_prober.h"

#include <gtest/gtest.h>

#include "monitord/nts_testing.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::monitord {
namespace {

using pool::NtsOutcome;
using testing::FakeMember;
using Habit = net::testing::TestTlsServer::Habit;

constexpr const char* kName = "alice.m.pool.test";

class NtsProberTest : public ::testing::Test {
 protected:
  NtsProberTest() {
    options_.key_timeout = Duration::milliseconds(1500);
    options_.spacing = Duration::milliseconds(50);
    options_.answer_timeout = Duration::milliseconds(250);
    options_.look_up = false;
    const std::string file = directory_.path() + "/roots.pem";
    EXPECT_TRUE(sys::write_file_atomic(file, member_.authority_pem(), 0644).ok());
    options_.trust["test"] = file;
  }
  void create() {
    prober_ = std::move(NtsProber::create(reactor_, options_, aeads_, {1, 2}, log_)).value();
  }
  NtsWork work() const { return {kName, member_.port(), "test"}; }
  std::optional<NtsResult> check(const NtsWork& work,
                                 IpAddress address = parse_ip("127.0.0.1").value()) {
    if (!prober_) create();
    bool over = false;
    std::optional<NtsResult> out;
    prober_->check(address, work, [&](std::optional<NtsResult> result) {
      over = true;
      out = std::move(result);
    });
    EXPECT_FALSE(over) << "called from within check()";
    const MonoTime end = sys::mono_now() + Duration::seconds(20);
    while (!over && sys::mono_now() < end) reactor_.run_once(Duration::milliseconds(10));
    EXPECT_TRUE(over);
    EXPECT_EQ(prober_->outstanding(), 0u);
    return out;
  }
  NtsOutcome outcome() {
    const auto out = check(work());
    EXPECT_TRUE(out.has_value());
    detail_ = out ? out->detail : "";
    return out ? out->outcome : NtsOutcome::kOk;
  }
  NtsOutcome outcome_of(FakeMember::Time time) {
    member_.set_time(time);
    return outcome();
  }

  sys::TemporaryDirectory directory_;
  net::Reactor reactor_;
  sys::Logger log_{"test", sys::LogLevel::kError};
  nts::fake::TestAeadMaker aeads_;
  FakeMember member_{reactor_, kName};
  NtsProber::Options options_;
  std::unique_ptr<NtsProber> prober_;
  std::string detail_;
};

TEST_F(NtsProberTest, a_server_in_order_is_found_ok_with_all_that_was_seen) {
  member_.set_offset(Duration::milliseconds(300));
  const auto out = check(work());
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->outcome, NtsOutcome::kOk) << out->detail;
  EXPECT_EQ(out->name, kName);
  EXPECT_EQ(out->port, member_.port());
  EXPECT_EQ(out->cookies, 8u);
  EXPECT_EQ(out->aead, 15);
  ASSERT_TRUE(out->offset && out->ke_took && out->not_after);
  EXPECT_NEAR(*out->offset, 0.3, 0.05);
  EXPECT_GT(*out->ke_took, Duration());
  EXPECT_GT(*out->not_after, sys::unix_now());
  EXPECT_EQ(member_.asked(), 1);
}

TEST_F(NtsProberTest, a_lost_request_is_sent_again_at_the_pace_of_probes_by_another_cookie) {
  member_.set_time(FakeMember::Time::kLosesTwo);
  const auto out = check(work());
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->outcome, NtsOutcome::kOk) << out->detail;
  ASSERT_EQ(member_.asked(), 3);
  EXPECT_EQ(member_.reused(), 0);
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_GE(member_.asked_at()[i] - member_.asked_at()[i - 1], options_.spacing);
  }
}

TEST_F(NtsProberTest, replies_of_every_kind_have_their_outcome) {
  EXPECT_EQ(outcome_of(FakeMember::Time::kSilent), NtsOutcome::kNoReply);
  EXPECT_EQ(member_.asked(), NtsProber::kTries);
  EXPECT_EQ(outcome_of(FakeMember::Time::kPlain), NtsOutcome::kNotAuthenticated);
  EXPECT_EQ(outcome_of(FakeMember::Time::kForged), NtsOutcome::kNotAuthenticated);
  EXPECT_EQ(outcome_of(FakeMember::Time::kNak), NtsOutcome::kNtsNak);
  EXPECT_EQ(outcome_of(FakeMember::Time::kKiss), NtsOutcome::kKiss);
  EXPECT_EQ(detail_, "RATE");
  EXPECT_EQ(outcome_of(FakeMember::Time::kNoCookies), NtsOutcome::kTooFewCookies);
  EXPECT_EQ(outcome_of(FakeMember::Time::kUnset), NtsOutcome::kWrongTime);
  EXPECT_EQ(member_.reused(), 0);
}

TEST_F(NtsProberTest, connections_of_every_kind_have_their_outcome) {
  member_.keys().set_habit(Habit::kSilent);
  EXPECT_EQ(outcome(), NtsOutcome::kTlsFailed);
  EXPECT_EQ(detail_, "no TLS handshake within " + format(options_.key_timeout));
  member_.keys().set_habit(Habit::kHangsUp);
  EXPECT_EQ(outcome(), NtsOutcome::kTlsFailed);
  member_.keys().set_habit(Habit::kHangsUpAfterTls);
  EXPECT_EQ(outcome(), NtsOutcome::kKeMalformed);
  NtsWork nowhere = work();
  nowhere.port = 1;
  const auto out = check(nowhere);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->outcome, NtsOutcome::kConnectFailed);
  EXPECT_FALSE(out->not_after || out->cookies || out->ke_took || out->offset);
}

TEST_F(NtsProberTest, records_of_every_kind_have_their_outcome) {
  namespace type = wire::nts::record_type;
  using nts::fake::Message;
  member_.set_response(Message().numbers(true, type::kError, {2}).end());
  const auto error = check(work());
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->outcome, NtsOutcome::kKeError);
  EXPECT_EQ(error->code, 2);
  member_.set_response(Message().protocol().aeads({15}).end());
  EXPECT_EQ(outcome(), NtsOutcome::kTooFewCookies);
  member_.set_response(Message().protocol().aeads({16}).cookie(100).end());
  EXPECT_EQ(outcome(), NtsOutcome::kKeMalformed);
  member_.set_response(Message().protocol().aeads({15}).cookie(100).so_far());
  EXPECT_EQ(outcome(), NtsOutcome::kKeMalformed);
  EXPECT_EQ(detail_, "no answer within " + format(options_.key_timeout));
  member_.set_response({});
  member_.set_cookies(3);
  EXPECT_EQ(outcome(), NtsOutcome::kTooFewCookies);
  EXPECT_EQ(member_.asked(), 0) << "the first step that fails is the last";
}

TEST_F(NtsProberTest, a_certificate_for_another_name_is_told_with_its_end) {
  NtsWork other = work();
  other.name = "bob.m.pool.test";
  const auto out = check(other);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->outcome, NtsOutcome::kNameMismatch);
  EXPECT_TRUE(out->not_after.has_value());
}

TEST_F(NtsProberTest, the_time_comes_from_the_server_that_the_keys_name) {
  member_.set_named("127.0.0.1");
  EXPECT_EQ(outcome(), NtsOutcome::kOk) << detail_;
  member_.set_named(kName);
  EXPECT_EQ(outcome(), NtsOutcome::kOk) << "the member's own name is the address that is checked";
  // Nobody listens there.
  member_.set_named("127.0.0.99");
  EXPECT_EQ(outcome(), NtsOutcome::kNoReply);
}

TEST_F(NtsProberTest, what_a_resolver_does_not_answer_is_not_the_servers_fault) {
  options_.look_up = true;
  options_.resolvers = {{parse_ip("127.0.0.1").value(), 9}};
  EXPECT_FALSE(check(work()).has_value());
  EXPECT_EQ(member_.keys().connections(), 0);
}

TEST_F(NtsProberTest, an_address_as_name_leads_to_itself_only) {
  options_.look_up = true;
  NtsWork literal = work();
  literal.name = "127.0.0.2";
  const auto out = check(literal);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->outcome, NtsOutcome::kWrongAddress);
  EXPECT_EQ(out->detail, "the name leads to: 127.0.0.2");
}

TEST_F(NtsProberTest, roots_that_are_not_there_are_our_fault) {
  NtsWork unknown = work();
  unknown.trust = "nobody's";
  EXPECT_FALSE(check(unknown).has_value());
  options_.trust["test"] = directory_.path() + "/missing.pem";
  const auto made = NtsProber::create(reactor_, options_, aeads_, {1, 2}, log_);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().text().find("[[nts.trust]] file"), std::string::npos);
}

TEST_F(NtsProberTest, no_more_are_under_way_at_once_than_allowed_and_each_is_told) {
  options_.max_parallel = 2;
  options_.key_timeout = Duration::milliseconds(400);
  member_.keys().set_habit(Habit::kSilent);
  create();
  const MonoTime start = sys::mono_now();
  constexpr int kChecks = 6;
  int told = 0;
  for (int i = 0; i < kChecks; ++i) {
    prober_->check(parse_ip("127.0.0.1").value(), work(), [&](const auto& result) {
      EXPECT_TRUE(result.has_value());
      ++told;
    });
  }
  while (told < kChecks && sys::mono_now() - start < Duration::seconds(20)) {
    reactor_.run_once(Duration::milliseconds(10));
    EXPECT_LE(member_.keys().connections(), told + 2);
  }
  EXPECT_EQ(told, kChecks);
  EXPECT_GE(sys::mono_now() - start, options_.key_timeout * (kChecks / 2));
}

TEST_F(NtsProberTest, it_may_end_in_the_middle_of_checks) {
  create();
  for (int i = 0; i < 5; ++i) {
    prober_->check(parse_ip("127.0.0.1").value(), work(),
                   [](const auto&) { ADD_FAILURE() << "called after the end"; });
  }
  for (int i = 0; i < 3; ++i) reactor_.run_once(Duration::milliseconds(1));
  prober_.reset();
  for (int i = 0; i < 10; ++i) reactor_.run_once(Duration::milliseconds(1));
}

}  // namespace
}  // namespace timepool::monitord
