// The ids A are those of the project's checklist of ACME.
#include "acme/issuance.h"

#include <gtest/gtest.h>

#include "acme/testing_authority.h"

namespace timepool::acme {
namespace {

namespace json = boost::json;
using testing::FakeAuthority;
using testing::FakeKey;
using testing::kBase;
using testing::kCertificate;
using testing::Life;
using testing::Signed;

class IssuanceTest : public ::testing::Test {
 protected:
  IssuanceTest() {
    settings.directory = kBase + "dir";
    settings.names = {{"dns", "a.example"}};
    settings.csr = "csr";
    settings.terms_agreed = true;
  }
  // Runs an issuance; afterwards `machine` is over.
  void run() {
    machine.emplace(key, settings);
    life.run(*machine);
  }
  void expect_failure(FailureKind kind, const std::string& part = "") {
    run();
    ASSERT_TRUE(machine->over() && !machine->succeeded());
    EXPECT_EQ(name_of(machine->failure().kind), name_of(kind)) << machine->failure().text;
    EXPECT_NE(machine->failure().text.find(part), std::string::npos) << machine->failure().text;
  }
  // The authority answers `path` with this, the first `times`.
  void answer(const std::string& path, Reply reply, int times = 1'000'000) {
    authority.hook = [=, left = times](const Request& request,
                                       const Signed*) mutable -> std::optional<Reply> {
      if (request.url != kBase + path || left-- <= 0) return std::nullopt;
      return reply;
    };
  }
  static Reply reply(int status, std::string body) {
    Reply out;
    out.status = status;
    out.body = std::move(body);
    return out;
  }
  // The payload of the first, or `nth`, newOrder.
  json::object order_asked(int nth = 0) {
    for (const std::string& it : authority.payloads) {
      if (it.starts_with(R"({"identifiers")") && nth-- == 0) return json::parse(it).as_object();
    }
    ADD_FAILURE() << "no order";
    return {};
  }
  FakeKey key;
  FakeAuthority authority;
  IssuanceSettings settings;
  Life life{authority};
  std::optional<Issuance> machine;
};

TEST_F(IssuanceTest, A3_goes_from_the_directory_to_the_chain) {
  settings.contacts = {"mailto:admin@a.example"};
  run();
  ASSERT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.asked,
            (std::vector<std::string>{"dir", "nonce", "account", "order", "authz/0", "chall/0",
                                      "authz/0", "order/1", "finalize", "cert"}));
  EXPECT_EQ(machine->account(), kBase + "account/7");
  EXPECT_EQ(machine->order_url(), kBase + "order/1");
  EXPECT_EQ(machine->chains(), (std::vector<std::string>{kCertificate + kCertificate}));
  EXPECT_EQ(authority.payloads[0],
            R"({"termsOfServiceAgreed":true,"contact":["mailto:admin@a.example"]})");
  EXPECT_EQ(authority.payloads[3], "{}");
  EXPECT_EQ(authority.payloads[6], R"({"csr":"Y3Ny"})");
}

TEST_F(IssuanceTest, A3_reads_by_POST_as_GET_only) {
  authority.hook = [](const Request& request, const Signed* it) -> std::optional<Reply> {
    const bool plain = request.url == kBase + "dir" || request.url == kBase + "nonce";
    EXPECT_EQ(it == nullptr, plain) << request.url;
    return std::nullopt;
  };
  run();
  EXPECT_TRUE(machine->succeeded());
}

TEST_F(IssuanceTest, A3_a_challenge_is_the_token_and_the_thumbprint) {
  run();
  ASSERT_EQ(machine->challenges().size(), 1U);
  const Challenge& it = machine->challenges()[0];
  EXPECT_EQ(it.type, ChallengeType::kHttp01);
  EXPECT_EQ(it.name.value, "a.example");
  EXPECT_EQ(it.key_authorization, "token-0.print-of-one");
}

TEST_F(IssuanceTest, A3_the_first_way_that_is_wanted_and_offered_is_taken) {
  settings.challenges = {ChallengeType::kTlsAlpn01, ChallengeType::kHttp01};
  run();
  EXPECT_EQ(machine->challenges().at(0).type, ChallengeType::kTlsAlpn01);
  authority.challenges_told = 0;
  authority.offers = {"http-01"};
  run();
  EXPECT_EQ(machine->challenges().at(0).type, ChallengeType::kHttp01);
  authority.challenges_told = 0;
  authority.offers = {"dns-01"};
  expect_failure(FailureKind::kRefused, "dns-01");
}

TEST_F(IssuanceTest, A3_an_address_is_not_proved_by_tls_alpn) {
  settings.names = {{"ip", "192.0.2.1"}};
  settings.challenges = {ChallengeType::kTlsAlpn01, ChallengeType::kHttp01};
  run();
  EXPECT_EQ(machine->challenges().at(0).type, ChallengeType::kHttp01);
  EXPECT_EQ(order_asked().at("identifiers").as_array()[0].as_object().at("type"), "ip");
}

TEST_F(IssuanceTest, A3_names_that_are_proved_already_need_no_challenge) {
  authority.authorization_status = "valid";
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_TRUE(machine->challenges().empty());
  EXPECT_EQ(authority.challenges_told, 0);
}

TEST_F(IssuanceTest, A3_an_order_that_is_ready_is_finalised_at_once) {
  authority.order_status = "ready";
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.count("authz/0"), 0U);
}

TEST_F(IssuanceTest, A3_many_names_are_all_proved) {
  settings.names.clear();
  for (int i = 0; i < 100; ++i)
    settings.names.push_back({"dns", "n" + std::to_string(i) + ".test"});
  run();
  ASSERT_TRUE(machine->succeeded());
  EXPECT_EQ(machine->challenges().size(), 100U);
  EXPECT_EQ(authority.challenges_told, 100);
}

TEST_F(IssuanceTest, A3_polls_at_the_authoritys_pace_within_bounds) {
  authority.validations_left = 3;
  run();
  // Before the first look, then as long again, 2, 4 times as long.
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(life.waited, Issuance::kFirstPoll * (1 + 1 + 2 + 4));
  const std::vector<std::pair<std::string, int>> wishes = {{"5", 5}, {"0", 1}, {"900", 60}};
  for (const auto& [wish, kept] : wishes) {
    authority.challenges_told = 0;
    authority.validations_left = 2;
    authority.poll_retry_after = wish;
    life.waited = Duration();
    run();
    EXPECT_TRUE(machine->succeeded());
    EXPECT_EQ(life.waited, Issuance::kFirstPoll + Duration::seconds(2 * kept)) << wish;
  }
}

TEST_F(IssuanceTest, A3_an_order_that_is_processed_for_ever_is_given_up) {
  authority.processings_left = 1'000'000;
  expect_failure(FailureKind::kStuck, "30m");
  EXPECT_LT(life.waited, settings.processing_limit + Issuance::kLongestPoll * 2);
  EXPECT_LT(authority.asked.size(), 60U);
}

TEST_F(IssuanceTest, A3_a_validation_that_never_ends_is_given_up) {
  authority.validations_left = 1'000'000;
  expect_failure(FailureKind::kStuck, "10m");
}

TEST_F(IssuanceTest, A3_alternate_chains_are_fetched_when_they_are_wanted) {
  Reply first = reply(200, kCertificate);
  first.links = {"<" + kBase + "cert/2>;rel=\"alternate\"",
                 "<https://elsewhere.test/>;rel=\"index\""};
  authority.hook = [&](const Request& request, const Signed*) -> std::optional<Reply> {
    if (request.url == kBase + "cert") return first;
    if (request.url == kBase + "cert/2") return reply(200, kCertificate + kCertificate);
    return std::nullopt;
  };
  run();
  EXPECT_EQ(machine->chains().size(), 1U);
  settings.alternate_chains = true;
  run();
  EXPECT_EQ(machine->chains(),
            (std::vector<std::string>{kCertificate, kCertificate + kCertificate}));
}

TEST_F(IssuanceTest, A2_a_known_account_is_used_without_asking) {
  settings.account = kBase + "account/7";
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.count("account"), 0U);
}

TEST_F(IssuanceTest, A2_an_account_that_is_gone_is_made_anew_once) {
  settings.account = kBase + "account/7";
  answer("order", reply(400, testing::problem("accountDoesNotExist")), 1);
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.count("account"), 1U);
  answer("order", reply(400, testing::problem("accountDoesNotExist")));
  expect_failure(FailureKind::kAccount);
}

TEST_F(IssuanceTest, A2_an_account_that_was_ended_is_not_used) {
  Reply ended = reply(200, R"({"status":"deactivated"})");
  ended.location = kBase + "account/7";
  answer("account", ended);
  expect_failure(FailureKind::kAccount, "deactivated");
}

TEST_F(IssuanceTest, A2_terms_are_agreed_to_by_the_operator_only) {
  authority.meta["termsOfService"] = "https://ca.test/terms";
  settings.terms_agreed = false;
  expect_failure(FailureKind::kTerms, "https://ca.test/terms");
  EXPECT_EQ(authority.count("account"), 0U);
}

TEST_F(IssuanceTest, A2_binds_an_external_account) {
  authority.meta["externalAccountRequired"] = true;
  expect_failure(FailureKind::kExternalAccount);
  const FakeKey mac("mac");
  settings.external = ExternalAccount{"kid-1", &mac};
  authority.payloads.clear();
  run();
  ASSERT_TRUE(machine->succeeded());
  const json::value asked = json::parse(authority.payloads[0]);
  const Signed binding =
      Signed::of(json::serialize(asked.as_object().at("externalAccountBinding")));
  EXPECT_EQ(binding.header.at("kid").as_string(), "kid-1");
  EXPECT_EQ(binding.header.at("url").as_string(), kBase + "account");
  EXPECT_FALSE(binding.header.contains("nonce"));
  EXPECT_EQ(binding.payload, key.jwk());
  EXPECT_TRUE(binding.signature.starts_with("mac:"));
}

TEST_F(IssuanceTest, A1_a_refused_nonce_is_followed_by_another_try_with_the_one_that_came) {
  answer("order", reply(400, testing::problem("badNonce")), Conversation::kMaxNonceTries - 1);
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.count("order"), std::size_t{Conversation::kMaxNonceTries});
  EXPECT_EQ(authority.count("nonce"), 1U);
  EXPECT_EQ(life.waited, Issuance::kFirstPoll);
}

TEST_F(IssuanceTest, A1_nonces_that_are_always_refused_end_it) {
  answer("order", reply(400, testing::problem("badNonce")));
  expect_failure(FailureKind::kNonces);
  EXPECT_EQ(authority.count("order"), std::size_t{Conversation::kMaxNonceTries});
}

TEST_F(IssuanceTest, A1_without_a_nonce_in_a_reply_one_is_fetched) {
  authority.hook = [&](const Request& request, const Signed*) -> std::optional<Reply> {
    if (request.url != kBase + "chall/0") return std::nullopt;
    Reply out = reply(200, "{}");
    out.nonce = "none";
    ++authority.challenges_told;
    return out;
  };
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(authority.count("nonce"), 2U);
}

TEST_F(IssuanceTest, A1_an_authority_without_nonces_is_rubbish) {
  Reply none = reply(200, "");
  none.nonce = "none";
  answer("nonce", none);
  expect_failure(FailureKind::kRubbish, "nonce");
  none.nonce = "a b\r\nc";
  answer("nonce", none);
  expect_failure(FailureKind::kRubbish, "nonce");
}

TEST_F(IssuanceTest, A8_a_profile_is_asked_for_where_the_authority_has_it) {
  settings.profile = "shortlived";
  authority.meta["profiles"] = json::object{{"shortlived", "six days"}};
  run();
  EXPECT_EQ(order_asked().at("profile"), "shortlived");
  EXPECT_EQ(machine->profile(), "shortlived");
}

TEST_F(IssuanceTest, A8_without_it_the_default_will_do_unless_it_is_required) {
  settings.profile = "shortlived";
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_FALSE(order_asked().contains("profile"));
  EXPECT_EQ(machine->profile(), "");
  settings.profile_required = true;
  expect_failure(FailureKind::kProfile, "shortlived");
}

TEST_F(IssuanceTest, A8_a_profile_that_is_refused_is_left_out) {
  settings.profile = "shortlived";
  authority.meta["profiles"] = json::object{{"shortlived", "six days"}};
  answer("order", reply(400, testing::problem("invalidProfile")), 1);
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_FALSE(order_asked(1).contains("profile"));
  settings.profile_required = true;
  answer("order", reply(400, testing::problem("invalidProfile")), 1);
  expect_failure(FailureKind::kProfile);
}

TEST_F(IssuanceTest, A6_says_what_it_replaces_where_there_is_renewal_information) {
  settings.replaces = "aki.serial";
  run();
  EXPECT_EQ(order_asked().at("replaces"), "aki.serial");
  EXPECT_TRUE(machine->told_replaced());
  authority.renewal_info = false;
  authority.payloads.clear();
  run();
  EXPECT_FALSE(order_asked().contains("replaces"));
  EXPECT_FALSE(machine->told_replaced());
}

TEST_F(IssuanceTest, A6_alreadyReplaced_is_followed_by_an_order_without) {
  settings.replaces = "aki.serial";
  answer("order", reply(409, testing::problem("alreadyReplaced")), 1);
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_FALSE(machine->told_replaced());
  EXPECT_FALSE(order_asked(1).contains("replaces"));
}

TEST_F(IssuanceTest, A9_a_rate_limit_ends_it_with_the_authoritys_wish) {
  Reply limited = reply(429, testing::problem("rateLimited", "too many"));
  limited.retry_after = "3600";
  answer("order", limited);
  expect_failure(FailureKind::kRateLimited, "too many");
  EXPECT_EQ(machine->failure().retry_after, Duration::seconds(3600));
  EXPECT_EQ(authority.count("order"), 1U);
}

TEST_F(IssuanceTest, A9_lost_replies_are_repeated_with_growing_waits) {
  // order, challenge and finalisation.
  life.lost = {4, 7, 11};
  run();
  EXPECT_TRUE(machine->succeeded());
  EXPECT_EQ(life.waited, Duration::seconds(2 + 2 + 2) + Issuance::kFirstPoll);
}

TEST_F(IssuanceTest, A9_a_dead_authority_is_given_up_after_some_repetitions) {
  for (int i = 1; i < 100; ++i) life.lost.insert(i);
  expect_failure(FailureKind::kUnreachable, "timed out");
  EXPECT_EQ(life.requests, 1 + Conversation::kMaxRepeats);
  EXPECT_EQ(life.waited, Duration::seconds(2 + 4 + 8));
}

TEST_F(IssuanceTest, A9_a_failing_server_is_asked_again_unless_it_wants_a_long_wait) {
  answer("order", reply(503, "down"), 2);
  run();
  EXPECT_TRUE(machine->succeeded());
  Reply long_down = reply(503, "down");
  long_down.retry_after = "600";
  answer("order", long_down);
  expect_failure(FailureKind::kUnreachable, "503");
  EXPECT_EQ(machine->failure().retry_after, Duration::seconds(600));
}

TEST_F(IssuanceTest, A9_a_name_that_fails_is_named_with_the_reason) {
  authority.hook = [&](const Request& request, const Signed*) -> std::optional<Reply> {
    if (request.url != kBase + "authz/0" || authority.challenges_told == 0) return std::nullopt;
    return reply(200, R"({"status":"invalid","identifier":{"type":"dns","value":"a.example"},
      "challenges":[{"type":"http-01","url":"https://ca.test/chall/0","token":"t",
      "status":"invalid","error":{"type":"urn:ietf:params:acme:error:connection",
      "detail":"refused by 192.0.2.1"}}]})");
  };
  expect_failure(FailureKind::kChallenge, "a.example by http-01: refused by 192.0.2.1");
  EXPECT_EQ(machine->failed_challenge(), ChallengeType::kHttp01);
}

TEST_F(IssuanceTest, A9_challenges_that_cannot_be_served_are_not_tried) {
  life.presents = false;
  expect_failure(FailureKind::kLocal, "no socket");
  EXPECT_EQ(authority.challenges_told, 0);
}

TEST_F(IssuanceTest, A9_a_key_that_cannot_sign_ends_it) {
  key.broken = true;
  expect_failure(FailureKind::kLocal, "sign");
}

TEST_F(IssuanceTest, rubbish_of_any_resource_is_a_failure_and_never_a_certificate) {
  const std::vector<std::string> paths = {"dir",     "account", "order",   "authz/0",
                                          "order/1", "cert",    "finalize"};
  const std::vector<std::string> rubbish = {
      "",
      "<html>",
      "[]",
      "{}",
      "null",
      std::string(300'000, 'a'),
      "{\"status\":\"valid\"}",
      R"({"status":7,"identifiers":{},"authorizations":1})",
      R"({"status":"ready","identifiers":[{"type":"dns","value":"b.example"}],
          "authorizations":["https://ca.test/authz/0"],"finalize":"https://ca.test/finalize"})",
      R"({"newNonce":"http://ca.test/n","newAccount":"https://ca.test/a","newOrder":"x"})"};
  for (const std::string& path : paths) {
    for (const std::string& body : rubbish) {
      Reply bad = reply(200, body);
      bad.location = kBase + "order/1";
      if (path == "account" && body == "{\"status\":\"valid\"}") continue;
      answer(path, bad);
      run();
      ASSERT_TRUE(machine->over()) << path << " " << body;
      EXPECT_FALSE(machine->succeeded()) << path << " " << body.substr(0, 80);
      EXPECT_TRUE(machine->chains().empty());
    }
  }
}

TEST_F(IssuanceTest, tokens_of_another_alphabet_are_not_served) {
  for (const std::string token : {"../../etc/passwd", "a b", "", "a.b", "a%2f"}) {
    answer("authz/0",
           reply(200, R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},
      "challenges":[{"type":"http-01","url":"https://ca.test/chall/0","token":")" +
                          token + R"("}]})"));
    run();
    EXPECT_FALSE(machine->succeeded()) << token;
    EXPECT_TRUE(machine->challenges().empty()) << token;
  }
}

TEST_F(IssuanceTest, an_authorization_for_another_name_is_refused) {
  answer("authz/0", reply(200, R"({"status":"valid","challenges":[],
    "identifier":{"type":"dns","value":"b.example"}})"));
  expect_failure(FailureKind::kRubbish, "another name");
}

TEST_F(IssuanceTest, a_forbidding_CAA_record_is_told_as_such) {
  answer("order", reply(403, testing::problem("caa", "not allowed")));
  expect_failure(FailureKind::kCaa, "not allowed");
}

TEST_F(IssuanceTest, an_order_that_becomes_invalid_tells_why) {
  answer("finalize", reply(200, R"({"status":"invalid","authorizations":["https://ca.test/authz/0"],
    "identifiers":[{"type":"dns","value":"A.example"}],"finalize":"https://ca.test/finalize",
    "error":{"type":"urn:ietf:params:acme:error:badCSR","detail":"weak key"}})"));
  expect_failure(FailureKind::kRefused, "weak key");
}

}  // namespace
}  // namespace timepool::acme
