// Messages, signatures, problem documents, accounts and renewal information; ids A as in
// issuance_test.cc.
#include "acme/conversation.h"

#include <gtest/gtest.h>

#include "acme/account.h"
#include "acme/jws.h"
#include "acme/problem.h"
#include "acme/renewal_info.h"
#include "acme/testing_authority.h"

namespace timepool::acme {
namespace {

using testing::FakeAuthority;
using testing::FakeKey;
using testing::kBase;
using testing::Life;
using testing::Signed;

Reply with_retry(std::string retry_after, std::string date = "") {
  Reply out;
  out.retry_after = std::move(retry_after);
  out.date = std::move(date);
  return out;
}

TEST(Message, retry_after_is_seconds_or_a_date_against_the_replys_own) {
  EXPECT_EQ(retry_after_of(with_retry("120")), Duration::seconds(120));
  EXPECT_EQ(retry_after_of(with_retry("0")), Duration());
  EXPECT_EQ(
      retry_after_of(with_retry("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:58:59 GMT")),
      Duration::seconds(60));
  EXPECT_EQ(
      retry_after_of(with_retry("Fri, 31 Dec 1999 23:58:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT")),
      Duration());
  for (const char* bad : {"", "-1", "1.5", "soon", "Fri, 31 Dec 1999 23:59:59 GMT"}) {
    EXPECT_EQ(retry_after_of(with_retry(bad)), std::nullopt) << bad;
  }
  EXPECT_GT(*retry_after_of(with_retry("99999999999999999999")), Duration::seconds(86'400));
}

TEST(Message, http_dates_are_those_of_rfc9110) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  for (const char* bad : {"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
                          "Sun, 06 ovN 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", ""}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

TEST(Message, links_are_found_by_their_relation) {
  Reply reply;
  reply.links = {"<https://a.test/1>;rel=\"alternate\"", "<https://a.test/2>; rel=up",
                 "<https://a.test/3>; title=x; rel=\"up alternate\", "
                 "<https://a.test/4>;REL=Alternate",
                 "rubbish", "<unclosed"};
  EXPECT_EQ(links_of(reply, "alternate"),
            (std::vector<std::string>{"https://a.test/1", "https://a.test/3", "https://a.test/4"}));
  EXPECT_EQ(links_of(reply, "index"), std::vector<std::string>());
}

TEST(Message, only_https_is_asked) {
  EXPECT_TRUE(is_https_url("https://ca.example/dir?x=1"));
  EXPECT_TRUE(is_https_url("HTTPS://[2001:db8::1]:14000/dir"));
  for (const char* bad : {"http://ca.example/", "https://", "https:///dir", "file:///etc/passwd",
                          "https://a b/", "https://a/\r\nX: y", "https://user@a/", ""}) {
    EXPECT_FALSE(is_https_url(bad)) << bad;
  }
  EXPECT_FALSE(is_https_url("https://" + std::string(kMaxUrl, 'a')));
}

TEST(Base64Url, has_the_vectors_of_rfc4648_without_padding) {
  EXPECT_EQ(to_base64url(std::string_view("")), "");
  EXPECT_EQ(to_base64url(std::string_view("f")), "Zg");
  EXPECT_EQ(to_base64url(std::string_view("fo")), "Zm8");
  EXPECT_EQ(to_base64url(std::string_view("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64url(std::string_view("\xfb\xff\xbf")), "-_-_");
  for (const char* bad : {"Zg==", "Z", "Zm9v+", "Zh", "Zm9"}) {
    EXPECT_FALSE(from_base64url(bad).has_value()) << bad;
  }
}

TEST(Jws, is_flattened_json_with_alg_kid_or_jwk_nonce_and_url) {
  const FakeKey key;
  const Signed by_key = Signed::of(*sign_with_key(key, "n", "https://a/new", "{}"));
  EXPECT_EQ(boost::json::serialize(by_key.header),
            R"({"alg":"ES256","jwk":{"crv":"P-256","kty":"EC","x":"one","y":"y"},)"
            R"("nonce":"n","url":"https://a/new"})");
  const Signed by_account =
      Signed::of(*sign_as_account(key, "https://a/7", "n", "https://a/o", ""));
  EXPECT_EQ(boost::json::serialize(by_account.header),
            R"({"alg":"ES256","kid":"https://a/7","nonce":"n","url":"https://a/o"})");
  EXPECT_EQ(by_account.payload, "");
}

TEST(Jws, A2_a_change_of_keys_is_signed_by_the_new_one_within_the_old_ones) {
  const FakeKey old("old");
  const FakeKey next("next");
  const Signed inner = Signed::of(*sign_key_change(next, "https://a/change", "https://a/7", old));
  EXPECT_TRUE(inner.signature.starts_with("next:"));
  EXPECT_FALSE(inner.header.contains("nonce"));
  EXPECT_EQ(boost::json::serialize(inner.header.at("jwk")), next.jwk());
  EXPECT_EQ(inner.payload, R"({"account":"https://a/7","oldKey":)" + old.jwk() + "}");
}

TEST(Problem, is_one_line_for_a_person_whatever_came) {
  const Problem it = parse_problem(R"({"type":"urn:ietf:params:acme:error:compound",
    "detail":"two\nfaults","subproblems":[{"type":"urn:ietf:params:acme:error:dns",
    "detail":"no such name","identifier":{"type":"dns","value":"a.example"}}]})");
  EXPECT_EQ(describe(it), "two?faults (compound); a.example: no such name (dns)");
  EXPECT_TRUE(parse_problem("<html>").empty());
  EXPECT_TRUE(parse_problem("[1]").empty());
  EXPECT_LE(parse_problem(R"({"detail":")" + std::string(50'000, 'x') + "\"}").detail.size(),
            Problem::kMaxText);
}

TEST(Problem, has_a_kind_by_its_type_else_by_the_status) {
  const auto kind = [](std::string_view type, int status) {
    return name_of(kind_of(parse_problem(testing::problem(type)), status));
  };
  EXPECT_EQ(kind("rateLimited", 429), "rate_limited");
  EXPECT_EQ(kind("caa", 403), "caa");
  EXPECT_EQ(kind("incorrectResponse", 403), "challenge");
  EXPECT_EQ(kind("userActionRequired", 403), "terms");
  EXPECT_EQ(kind("rejectedIdentifier", 400), "refused");
  EXPECT_EQ(kind("serverInternal", 500), "unreachable");
  EXPECT_EQ(kind("somethingNew", 429), "rate_limited");
}

TEST(FailureKind, has_a_name_that_reads_back) {
  for (std::size_t i = 0; i < kFailureKindCount; ++i) {
    const auto kind = static_cast<FailureKind>(i);
    EXPECT_EQ(parse_failure_kind(name_of(kind)), kind);
  }
  EXPECT_EQ(parse_failure_kind("nothing"), std::nullopt);
}

class AccountTest : public ::testing::Test {
 protected:
  void answer(const std::string& path, int status, const std::string& body,
              const std::string& location = "") {
    authority.hook = [=](const Request& request, const Signed*) -> std::optional<Reply> {
      if (request.url != kBase + path) return std::nullopt;
      Reply out;
      out.status = status;
      out.body = body;
      out.location = location;
      return out;
    };
  }
  FakeKey key;
  FakeKey next{"next"};
  FakeAuthority authority;
  Life life{authority};
};

TEST_F(AccountTest, A2_is_looked_up_without_being_made) {
  AccountLookup found(key, kBase + "dir");
  life.run(found);
  EXPECT_TRUE(found.succeeded());
  EXPECT_EQ(found.account(), kBase + "account/7");
  EXPECT_EQ(authority.payloads[0], R"({"onlyReturnExisting":true})");
  answer("account", 400, testing::problem("accountDoesNotExist"));
  AccountLookup none(key, kBase + "dir");
  life.run(none);
  ASSERT_FALSE(none.succeeded());
  EXPECT_EQ(none.failure().kind, FailureKind::kAccount);
}

TEST_F(AccountTest, A2_changes_its_key) {
  answer("key-change", 200, "{}");
  AccountKeyChange change(key, next, kBase + "dir", kBase + "account/7");
  life.run(change);
  EXPECT_TRUE(change.succeeded());
  EXPECT_TRUE(Signed::of(authority.payloads[0]).signature.starts_with("next:"));
  answer("key-change", 409, testing::problem("malformed", "key in use"));
  AccountKeyChange refused(key, next, kBase + "dir", kBase + "account/7");
  life.run(refused);
  EXPECT_FALSE(refused.succeeded());
}

TEST_F(AccountTest, A2_is_ended) {
  answer("account/7", 200, R"({"status":"deactivated"})");
  AccountDeactivation end(key, kBase + "dir", kBase + "account/7");
  life.run(end);
  EXPECT_TRUE(end.succeeded());
  answer("account/7", 200, R"({"status":"valid"})");
  AccountDeactivation ignored(key, kBase + "dir", kBase + "account/7");
  life.run(ignored);
  EXPECT_FALSE(ignored.succeeded());
}

class RenewalInquiryTest : public ::testing::Test {
 protected:
  void answer(int status, std::string body, std::string retry_after = "") {
    authority.hook = [=](const Request& request, const Signed*) -> std::optional<Reply> {
      if (request.url != kBase + "renewal/aki.serial") return std::nullopt;
      Reply out;
      out.status = status;
      out.body = body;
      out.retry_after = retry_after;
      return out;
    };
  }
  void run() {
    inquiry.emplace(kBase + "dir", "aki.serial");
    life.run(*inquiry);
  }
  static constexpr const char* kWindow =
      R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"},
          "explanationURL":"https://ca.test/docs"})";
  FakeAuthority authority;
  Life life{authority};
  std::optional<RenewalInquiry> inquiry;
};

TEST_F(RenewalInquiryTest, A6_asks_without_signing) {
  answer(200, kWindow, "21600");
  run();
  ASSERT_TRUE(inquiry->succeeded());
  EXPECT_EQ(authority.asked, (std::vector<std::string>{"dir", "renewal/aki.serial"}));
  ASSERT_TRUE(inquiry->window().has_value());
  EXPECT_EQ(format_utc(inquiry->window()->start, 0), "2025-01-02T04:00:00Z");
  EXPECT_EQ(inquiry->window()->explanation, "https://ca.test/docs");
  EXPECT_EQ(inquiry->again(), Duration::seconds(21'600));
}

TEST_F(RenewalInquiryTest, A6_an_authority_without_is_not_asked_for_it) {
  authority.renewal_info = false;
  run();
  EXPECT_TRUE(inquiry->succeeded());
  EXPECT_FALSE(inquiry->window().has_value());
  EXPECT_EQ(authority.asked, (std::vector<std::string>{"dir"}));
}

TEST_F(RenewalInquiryTest, A6_a_certificate_that_it_does_not_know_is_asked_about_six_hours_later) {
  run();
  EXPECT_FALSE(inquiry->succeeded());
  EXPECT_EQ(inquiry->again(), Duration::seconds(6 * 3600));
}

TEST_F(RenewalInquiryTest, A6_retry_after_is_kept_between_a_minute_and_a_day) {
  answer(200, kWindow, "1");
  run();
  EXPECT_EQ(inquiry->again(), Duration::seconds(60));
  answer(200, kWindow, "8640000");
  run();
  EXPECT_EQ(inquiry->again(), Duration::seconds(86'400));
  answer(200, kWindow);
  run();
  EXPECT_EQ(inquiry->again(), Duration::seconds(6 * 3600));
}

TEST_F(RenewalInquiryTest, A6_a_window_that_ends_before_it_starts_is_none) {
  answer(200, R"({"suggestedWindow":{"start":"2025-01-03T04:00:00Z",
                                     "end":"2025-01-03T04:00:00Z"}})",
         "60");
  run();
  EXPECT_FALSE(inquiry->succeeded());
  EXPECT_FALSE(inquiry->window().has_value());
  EXPECT_EQ(inquiry->again(), Duration::seconds(6 * 3600));
}

TEST(RenewalInfo, A6_the_id_of_the_example_of_rfc9773) {
  const std::vector<std::byte> key = from_base64url("aYhba4dGQEHhs3uEe6CuLN4ByNQ").value();
  const std::array<std::byte, 5> serial = {std::byte{0}, std::byte{0x87}, std::byte{0x65},
                                           std::byte{0x43}, std::byte{0x21}};
  EXPECT_EQ(certificate_id(key, serial), "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(RenewalInfo, A6_the_moment_lies_in_the_window) {
  const RenewalWindow window{UnixTime::from_seconds(1000), UnixTime::from_seconds(2000), ""};
  EXPECT_EQ(chosen_time(window, 0), window.start);
  EXPECT_EQ(chosen_time(window, 0.25), UnixTime::from_seconds(1250));
  EXPECT_LT(chosen_time(window, 0.999), window.end);
}

TEST(RenewalInfo, dates_are_those_of_rfc3339) {
  const auto seconds = [](std::string_view text) { return parse_rfc3339(text)->seconds(); };
  EXPECT_EQ(seconds("2016-01-05T14:09:07Z"), 1452002947);
  EXPECT_EQ(seconds("2016-01-05T14:09:07.99Z"), 1452002947);
  EXPECT_EQ(seconds("2016-01-05T16:09:07+02:00"), 1452002947);
  for (const char* bad :
       {"", "2016-01-05", "2016-13-05T14:09:07Z", "2016-02-30T14:09:07Z", "2016-01-05T14:09:07",
        "2016-01-05T14:09:07.Z", "0001-01-01T00:00:00Z", "2016-01-05T14:09:07+2:00"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace timepool::acme
