#include "nts_client/key_client.h"

#include <gtest/gtest.h>

#include "net/tls_testing.h"
#include "net/tls_testing_server.h"
#include "nts/ke_server.h"
#include "nts/ke_testing.h"
#include "sys/clock.h"

namespace timepool::nts_client {
namespace {

using net::testing::TestCertificate;
using net::testing::TestTlsServer;

class KeyClientTest : public ::testing::Test {
 protected:
  KeyClientTest()
      : server_(reactor_, server_context(),
                [this](Bytes so_far, net::TlsSession& session) { return answer(so_far, session); }),
        client_(reactor_, Duration::milliseconds(1500)) {
    CHECK(records_.aeads.push_back(AeadId::kAes128GcmSiv));
    CHECK(records_.aeads.push_back(AeadId::kAesSivCmac256));
    net::TlsClientOptions options;
    options.ca_pem = authority_.certificate_pem();
    context_ = net::TlsClientContext::create(options).value();
  }
  std::shared_ptr<const net::TlsServerContext> server_context() {
    net::testing::CertificateWish wish;
    wish.dns_names = {"time.test"};
    const TestCertificate leaf = authority_.issue(wish);
    return net::TlsServerContext::create(
               {net::TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "test").value()})
        .value();
  }
  std::vector<std::byte> answer(Bytes so_far, const net::TlsSession& session) {
    if (!response_.empty()) return response_;
    nts::SessionExporter keys(session);
    nts::KeServer machine(server_records_, IpFamily::kV4);
    if (!machine.feed(so_far, keys, cookies_)) return {};
    return {machine.response().begin(), machine.response().end()};
  }
  KeyRequest request() const {
    KeyRequest out;
    out.server = server_.endpoint();
    out.peer.name = "time.test";
    out.tls = context_;
    out.records = records_;
    return out;
  }
  void run_until(const std::function<bool()>& there) {
    const MonoTime end = sys::mono_now() + Duration::seconds(10);
    while (!there() && sys::mono_now() < end) reactor_.run_once(Duration::milliseconds(50));
    EXPECT_TRUE(there());
  }
  KeyResult run(KeyRequest wish) {
    std::optional<KeyResult> out;
    EXPECT_TRUE(client_.start(std::move(wish), [&](const KeyResult& result) { out = result; }));
    EXPECT_FALSE(out);
    run_until([&] { return out.has_value(); });
    return out.value_or(KeyResult{});
  }

  static nts::KeServerConfig both_algorithms() {
    nts::KeServerConfig out;
    CHECK(out.aeads.push_back(AeadId::kAes128GcmSiv));
    CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
    out.servers = {{"ntp.test", 4123}};
    return out;
  }

  net::Reactor reactor_;
  TestCertificate authority_ = TestCertificate::authority("test authority");
  nts::KeServerConfig server_records_ = both_algorithms();
  nts::fake::TestCookieMaker cookies_;
  std::vector<std::byte> response_;
  TestTlsServer server_;
  nts::KeClientConfig records_;
  std::shared_ptr<const net::TlsClientContext> context_;
  KeyClient client_;
};

TEST_F(KeyClientTest, T6_both_ends_of_a_TLS_session_get_the_same_keys) {
  const KeyResult out = run(request());
  ASSERT_TRUE(out.established()) << out.text;
  EXPECT_EQ(label_of(out), "established");
  EXPECT_EQ(out.text, "");
  EXPECT_EQ(out.establishment->keys, cookies_.sealed);
  EXPECT_EQ(out.establishment->keys.aead, AeadId::kAes128GcmSiv);
  EXPECT_EQ(out.establishment->cookies.size(), 8u);
  EXPECT_EQ(out.establishment->server, "ntp.test");
  EXPECT_EQ(out.establishment->port, 4123);
  ASSERT_TRUE(out.certificate);
  EXPECT_LT(out.certificate->not_before, out.certificate->not_after);
  EXPECT_EQ(client_.under_way(), 0u);
}

TEST_F(KeyClientTest, two_sessions_have_different_keys) {
  const KeyResult first = run(request());
  const KeyResult second = run(request());
  ASSERT_TRUE(first.established() && second.established());
  EXPECT_NE(first.establishment->keys, second.establishment->keys);
}

TEST_F(KeyClientTest, a_response_in_single_octets_establishes) {
  server_.set_habit(TestTlsServer::Habit::kOctetByOctet);
  EXPECT_TRUE(run(request()).established());
}

TEST_F(KeyClientTest, what_is_wrong_with_the_records_is_told) {
  nts::fake::Message message;
  response_ = message.numbers(true, wire::nts::record_type::kError, {1}).end();
  const KeyResult out = run(request());
  EXPECT_EQ(out.outcome, KeyOutcome::kRecords);
  EXPECT_EQ(out.record_error, nts::KeClientError::kErrorBadRequest);
  EXPECT_EQ(out.error_code, 1);
  EXPECT_EQ(label_of(out), "record_error_bad_request");
  EXPECT_FALSE(out.establishment);
}

TEST_F(KeyClientTest, a_response_that_is_cut_short_is_no_establishment) {
  response_ = nts::fake::Message().protocol().aeads({15}).so_far();
  const KeyResult out = run(request());
  EXPECT_EQ(out.outcome, KeyOutcome::kTimeout);
  EXPECT_EQ(out.step, net::TlsStep::kAnswer);
}

TEST_F(KeyClientTest, T3_a_certificate_for_another_name_establishes_nothing) {
  KeyRequest wish = request();
  wish.peer.name = "other.test";
  const KeyResult out = run(wish);
  EXPECT_EQ(out.outcome, KeyOutcome::kTls);
  EXPECT_EQ(label_of(out), "tls_wrong_name");
  EXPECT_NE(out.text, "");
  EXPECT_EQ(cookies_.made, 0u);
}

TEST_F(KeyClientTest, its_callback_may_start_the_next) {
  std::optional<KeyResult> second;
  ASSERT_TRUE(client_.start(request(), [&](const KeyResult&) {
    EXPECT_TRUE(client_.start(request(), [&](const KeyResult& result) { second = result; }));
  }));
  run_until([&] { return second.has_value(); });
  EXPECT_TRUE(second->established());
}

TEST_F(KeyClientTest, a_cancelled_one_calls_nobody) {
  int calls = 0;
  const auto count = [&](const KeyResult&) { ++calls; };
  const auto cancelled = client_.start(request(), count);
  ASSERT_TRUE(client_.start(request(), count));
  ASSERT_TRUE(cancelled);
  reactor_.run_once(Duration::milliseconds(10));
  client_.cancel(*cancelled);
  run_until([&] { return client_.under_way() == 0; });
  EXPECT_EQ(calls, 1);
}

TEST_F(KeyClientTest, no_more_than_sixteen_are_under_way_at_once) {
  server_.set_habit(TestTlsServer::Habit::kSilent);
  int timeouts = 0;
  const auto count = [&](const KeyResult& it) { timeouts += it.outcome == KeyOutcome::kTimeout; };
  for (std::size_t i = 0; i < KeyClient::kMaxAtOnce; ++i) {
    ASSERT_TRUE(client_.start(request(), count)) << i;
  }
  EXPECT_FALSE(client_.start(request(), count));
  run_until([&] { return client_.under_way() == 0; });
  EXPECT_EQ(timeouts, static_cast<int>(KeyClient::kMaxAtOnce));
}

}  // namespace
}  // namespace timepool::nts_client
