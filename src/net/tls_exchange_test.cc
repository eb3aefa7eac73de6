#include "net/tls_exchange.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <set>
#include <string>

#include "net/tls_testing.h"
#include "net/tls_testing_server.h"
#include "sys/clock.h"

namespace timepool::net {
namespace {

using testing::CertificateWish;
using testing::TestCertificate;
using testing::TestTlsServer;
using Habit = TestTlsServer::Habit;

std::vector<std::byte> octets(std::string_view text) {
  const Bytes view = std::as_bytes(std::span(text.data(), text.size()));
  return {view.begin(), view.end()};
}

// Asks "time?" and wants an answer of `wanted_` octets.
class Asker final : public TlsDialogue {
 public:
  explicit Asker(std::size_t wanted) : wanted_(wanted) {}
  Bytes question(const TlsSession&) override { return question_; }
  bool handle_answer(Bytes octets, const TlsSession&) override {
    for (const std::byte it : octets) answer.push_back(static_cast<char>(it));
    return answer.size() >= wanted_;
  }
  std::string answer;

 private:
  std::size_t wanted_;
  std::vector<std::byte> question_ = octets("time?");
};

class TlsExchangeTest : public ::testing::Test {
 protected:
  TlsExchangeTest()
      : server_(reactor_, server_context(),
                [this](Bytes so_far, TlsSession& session) { return answer(so_far, session); }) {
    TlsClientOptions options;
    options.ca_pem = authority_.certificate_pem();
    context_ = TlsClientContext::create(options).value();
  }
  std::shared_ptr<const TlsServerContext> server_context() {
    CertificateWish wish;
    wish.dns_names = {"time.test"};
    wish.not_after = not_after_;
    const TestCertificate leaf = authority_.issue(wish);
    return TlsServerContext::create(
               {TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "test").value()})
        .value();
  }
  std::vector<std::byte> answer(Bytes so_far, TlsSession& session) {
    if (so_far.size() < 5) return {};
    if (closes_early_) session.close();
    return octets(closes_early_ ? "" : answer_);
  }
  TlsExchangeRequest request() const {
    TlsExchangeRequest out;
    out.server = server_.endpoint();
    out.peer.name = "time.test";
    out.context = context_;
    out.timeout = Duration::milliseconds(400);
    return out;
  }
  TlsExchangeResult run(TlsExchangeRequest wish) {
    std::optional<TlsExchangeResult> out;
    TlsExchange exchange(reactor_, std::move(wish), asker_,
                         [&](const TlsExchangeResult& result) { out = result; });
    EXPECT_FALSE(out) << "called back from its constructor";
    const MonoTime end = sys::mono_now() + Duration::seconds(10);
    while (!out && sys::mono_now() < end) reactor_.run_once(Duration::milliseconds(50));
    EXPECT_TRUE(out);
    return out.value_or(TlsExchangeResult{});
  }

  static constexpr UnixTime kFar = UnixTime::from_seconds(2'082'758'400);
  Reactor reactor_;
  TestCertificate authority_ = TestCertificate::authority("test authority");
  UnixTime not_after_ = kFar;
  std::string answer_ = "twelve";
  bool closes_early_ = false;
  TestTlsServer server_;
  std::shared_ptr<const TlsClientContext> context_;
  Asker asker_{6};
};

TEST_F(TlsExchangeTest, brings_the_answer_with_certificate_and_times) {
  const TlsExchangeResult out = run(request());
  EXPECT_EQ(out.end, TlsExchangeEnd::kAnswered) << out.text;
  EXPECT_EQ(asker_.answer, "twelve");
  EXPECT_EQ(out.version, "TLSv1.3");
  EXPECT_EQ(out.step, TlsStep::kAnswer);
  EXPECT_EQ(out.text, "");
  ASSERT_TRUE(out.certificate);
  EXPECT_EQ(out.certificate->dns_names, std::vector<std::string>{"time.test"});
  EXPECT_GT(out.connected, Duration());
  EXPECT_GE(out.opened, out.connected);
  EXPECT_GE(out.total, out.opened);
}

TEST_F(TlsExchangeTest, an_answer_of_one_octet_in_each_TLS_record_is_put_together) {
  server_.set_habit(Habit::kOctetByOctet);
  EXPECT_EQ(run(request()).end, TlsExchangeEnd::kAnswered);
  EXPECT_EQ(asker_.answer, "twelve");
}

TEST_F(TlsExchangeTest, an_answer_of_64_KiB_comes_whole) {
  answer_.assign(65536, 'x');
  asker_ = Asker(65536);
  TlsExchangeRequest wish = request();
  wish.timeout = Duration::seconds(5);
  EXPECT_EQ(run(wish).end, TlsExchangeEnd::kAnswered);
  EXPECT_EQ(asker_.answer, answer_);
}

TEST_F(TlsExchangeTest, a_server_that_stays_after_the_answer_is_left) {
  server_.set_habit(Habit::kStays);
  TlsExchangeRequest wish = request();
  wish.timeout = Duration::seconds(5);
  const MonoTime start = sys::mono_now();
  const TlsExchangeResult out = run(wish);
  EXPECT_EQ(out.end, TlsExchangeEnd::kAnswered);
  EXPECT_GE(sys::mono_now() - start, TlsExchange::kFarewell);
  EXPECT_LT(sys::mono_now() - start, Duration::seconds(3));
  EXPECT_LT(out.total, TlsExchange::kFarewell);
}

TEST_F(TlsExchangeTest, a_port_where_nobody_listens_is_refused) {
  TlsExchangeRequest wish = request();
  {
    Reactor other;
    TestTlsServer gone(other, server_context(), {});
    wish.server = gone.endpoint();
  }
  const TlsExchangeResult out = run(wish);
  EXPECT_EQ(out.end, TlsExchangeEnd::kRefused) << out.text;
  EXPECT_EQ(out.step, TlsStep::kConnect);
  EXPECT_NE(out.text.find("refused"), std::string::npos);
}

TEST_F(TlsExchangeTest, a_network_without_a_way_is_unreachable) {
  TlsExchangeRequest wish = request();
  // Class E has no route anywhere.
  wish.server.address = parse_ip("255.255.255.255").value();
  const TlsExchangeResult out = run(wish);
  EXPECT_EQ(out.end, TlsExchangeEnd::kUnreachable) << out.text;
}

TEST_F(TlsExchangeTest, a_silent_server_is_given_up_at_the_deadline) {
  server_.set_habit(Habit::kSilent);
  const TlsExchangeResult out = run(request());
  EXPECT_EQ(out.end, TlsExchangeEnd::kTimeout);
  EXPECT_EQ(out.step, TlsStep::kHandshake);
  EXPECT_EQ(out.text, "no TLS handshake within 400ms");
  EXPECT_GE(out.total, Duration::milliseconds(400));
}

TEST_F(TlsExchangeTest, an_answer_that_never_comes_is_given_up_at_the_deadline) {
  asker_ = Asker(7);
  const TlsExchangeResult out = run(request());
  EXPECT_EQ(out.end, TlsExchangeEnd::kTimeout);
  EXPECT_EQ(out.step, TlsStep::kAnswer);
}

TEST_F(TlsExchangeTest, a_connection_that_ends_before_TLS_is_cut_off) {
  server_.set_habit(Habit::kHangsUp);
  const TlsExchangeResult out = run(request());
  EXPECT_TRUE(out.end == TlsExchangeEnd::kEnded ||
              (out.end == TlsExchangeEnd::kTls && out.fault == TlsFault::kTruncated))
      << out.text;
}

TEST_F(TlsExchangeTest, a_connection_that_is_cut_behind_the_handshake_is_truncated) {
  server_.set_habit(Habit::kHangsUpAfterTls);
  const TlsExchangeResult out = run(request());
  EXPECT_EQ(out.end, TlsExchangeEnd::kTls);
  EXPECT_EQ(out.fault, TlsFault::kTruncated);
}

TEST_F(TlsExchangeTest, a_server_that_says_goodbye_instead_of_answering_has_ended_it) {
  closes_early_ = true;
  const TlsExchangeResult out = run(request());
  EXPECT_EQ(out.end, TlsExchangeEnd::kEnded);
  EXPECT_EQ(out.step, TlsStep::kAnswer);
}

TEST_F(TlsExchangeTest, a_certificate_for_another_name_is_told_with_the_certificate) {
  TlsExchangeRequest wish = request();
  wish.peer.name = "other.test";
  const TlsExchangeResult out = run(wish);
  EXPECT_EQ(out.end, TlsExchangeEnd::kTls);
  EXPECT_EQ(out.fault, TlsFault::kWrongName);
  EXPECT_TRUE(out.certificate);
  EXPECT_EQ(asker_.answer, "");
}

TEST_F(TlsExchangeTest, what_is_not_enforced_is_told_and_answered) {
  TlsExchangeRequest wish = request();
  wish.peer.name = "other.test";
  wish.peer.enforced = false;
  const TlsExchangeResult out = run(wish);
  EXPECT_EQ(out.end, TlsExchangeEnd::kAnswered);
  EXPECT_EQ(out.certificate_fault, TlsFault::kWrongName);
}

TEST_F(TlsExchangeTest, an_expired_certificate_is_told_as_such) {
  TlsExchangeRequest wish = request();
  wish.peer.dates = {TlsDates::Check::kAt, UnixTime::from_seconds(2'082'758'401)};
  EXPECT_EQ(run(wish).fault, TlsFault::kExpired);
  wish.peer.dates.time = UnixTime::from_seconds(1'000'000'000);
  EXPECT_EQ(run(wish).fault, TlsFault::kNotYetValid);
}

TEST_F(TlsExchangeTest, a_name_that_is_none_fails_without_a_connection) {
  TlsExchangeRequest wish = request();
  wish.peer.name = "";
  EXPECT_EQ(run(wish).end, TlsExchangeEnd::kSystem);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(TlsExchangeTest, destroyed_it_calls_nobody_and_leaves_no_descriptor) {
  bool called = false;
  {
    TlsExchange exchange(reactor_, request(), asker_,
                         [&](const TlsExchangeResult&) { called = true; });
    reactor_.run_once(Duration::milliseconds(20));
  }
  for (int i = 0; i < 20; ++i) reactor_.run_once(Duration::milliseconds(30));
  EXPECT_FALSE(called);
}

TEST_F(TlsExchangeTest, without_a_descriptor_it_says_so) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const TlsExchangeRequest wish = request();
  std::optional<TlsExchangeResult> out;
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  {
    TlsExchange exchange(reactor_, wish, asker_,
                         [&](const TlsExchangeResult& result) { out = result; });
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    for (int i = 0; i < 20 && !out; ++i) reactor_.run_once(Duration::milliseconds(10));
  }
  ASSERT_TRUE(out);
  EXPECT_EQ(out->end, TlsExchangeEnd::kSystem) << out->text;
}

TEST(TlsExchangeNames, each_end_and_step_has_its_own) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTlsExchangeEndCount; ++i) {
    EXPECT_TRUE(names.insert(name_of(static_cast<TlsExchangeEnd>(i))).second);
  }
  EXPECT_EQ(name_of(TlsExchangeEnd::kSystem), "system");
  EXPECT_EQ(name_of(TlsStep::kAnswer), "answer");
}

}  // namespace
}  // namespace timepool::net
