// The ids A and LM are those of the project's checklists of ACME and of NTS for pools.
#include "acme/challenge_responder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "acme/base64url.h"

namespace timepool::acme {
namespace {

constexpr std::string_view kToken = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
const std::string kProof = std::string(kToken) + ".oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U";

LiveChallenges live() {
  LiveChallenges out;
  out.names = {"alice.m.pool.test", "bob.m.pool.test", "192.0.2.1", "2001:db8::1"};
  out.proofs[std::string(kToken)] = {"alice.m.pool.test", kProof};
  out.proofs["v4"] = {"192.0.2.1", "v4.x"};
  out.proofs["v6"] = {"2001:db8::1", "v6.x"};
  return out;
}

ChallengeAnswer ask(std::string_view head) {
  return answer_challenge(head, live());
}
ChallengeAnswer get(std::string_view host, std::string_view path) {
  return ask("GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host));
}
std::string path_of(std::string_view token) {
  return std::string(kChallengePath) + std::string(token);
}
std::string_view reason(const ChallengeAnswer& answer) {
  return name_of(answer.reason);
}

TEST(ChallengeResponder, A4_serves_a_live_token_with_nothing_behind_it) {
  const ChallengeAnswer answer = get("alice.m.pool.test", path_of(kToken));
  EXPECT_EQ(answer.octets,
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
            "Content-Length: 87\r\nX-Content-Type-Options: nosniff\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n" +
                kProof);
}

TEST(ChallengeResponder, LM3_a_host_counts_with_port_final_dot_and_capitals) {
  for (const char* host :
       {"alice.m.pool.test:80", "alice.m.pool.test:5002", "alice.m.pool.test.", "ALICE.M.Pool.Test",
        "Alice.m.pool.test.:80", "alice.m.pool.test:", "  alice.m.pool.test "}) {
    EXPECT_EQ(reason(get(host, path_of(kToken))), "served") << host;
  }
}

TEST(ChallengeResponder, A4_addresses_are_names_too) {
  EXPECT_EQ(reason(get("192.0.2.1:80", path_of("v4"))), "served");
  EXPECT_EQ(reason(get("[2001:db8::1]", path_of("v6"))), "served");
  EXPECT_EQ(reason(get("[2001:DB8:0::1]:80", path_of("v6"))), "served");
  EXPECT_EQ(reason(get("2001:db8::1", path_of("v6"))), "no_host");
}

TEST(ChallengeResponder, LM3_other_hosts_are_misdirected) {
  for (const char* host : {"www.pool.test", "pool.test", "alice.m.pool.test.evil.test",
                           "xalice.m.pool.test", "192.0.2.2", "localhost"}) {
    const ChallengeAnswer answer = get(host, path_of(kToken));
    EXPECT_EQ(reason(answer), "foreign_host") << host;
    EXPECT_TRUE(answer.octets.starts_with("HTTP/1.1 421 "));
    EXPECT_EQ(answer.octets.find(kProof), std::string::npos);
  }
}

TEST(ChallengeResponder, LM3_without_one_host_it_is_a_bad_request) {
  const std::string line = "GET " + path_of(kToken) + " HTTP/1.";
  for (const std::string& head :
       {line + "1", line + "0", line + "1\r\nHost:", line + "1\r\nHost: ",
        line + "1\r\nHost: alice.m.pool.test\r\nHost: alice.m.pool.test",
        line + "1\r\nHost: alice.m.pool.test:x", line + "1\r\nHost: alice.m.pool.test:123456",
        line + "1\r\nHost: user@alice.m.pool.test", line + "1\r\nHost: a b",
        line + "1\r\nHost: [alice]"}) {
    const ChallengeAnswer answer = ask(head);
    EXPECT_EQ(reason(answer), "no_host") << head;
    EXPECT_TRUE(answer.octets.starts_with("HTTP/1.1 400 "));
  }
}

TEST(ChallengeResponder, LM3_nothing_but_live_tokens_is_there) {
  for (const std::string& path :
       {std::string("/"), std::string("/index.html"), path_of(""), path_of("unknown"),
        path_of(kToken) + "/", path_of(kToken) + "?x=1", path_of(kToken) + "#x",
        "/.well-known/acme-challenge//" + std::string(kToken), path_of("../acme-challenge/v4"),
        path_of("%2e%2e/v4"), path_of("..%2fv4"), path_of("%76%34"), path_of(".."),
        "/./.well-known/acme-challenge/" + std::string(kToken),
        "/.WELL-KNOWN/acme-challenge/" + std::string(kToken), path_of(std::string(kToken) + "%00"),
        path_of(std::string(kToken.substr(1))), std::string("/.well-known/acme-challenge"),
        path_of(std::string(5000, 'a'))}) {
    const ChallengeAnswer answer = get("alice.m.pool.test", path);
    EXPECT_EQ(reason(answer), "not_found") << path;
    EXPECT_TRUE(answer.octets.starts_with("HTTP/1.1 404 "));
  }
}

TEST(ChallengeResponder, LM3_a_token_is_served_for_its_own_name_only) {
  EXPECT_EQ(reason(get("bob.m.pool.test", path_of(kToken))), "not_found");
  EXPECT_EQ(reason(get("alice.m.pool.test", path_of("v4"))), "not_found");
}

TEST(ChallengeResponder, LM3_a_whole_url_as_target_names_the_host) {
  const auto asked = [](std::string_view url, std::string_view host) {
    return name_of(
        ask("GET " + std::string(url) + " HTTP/1.1\r\nHost: " + std::string(host)).reason);
  };
  const std::string path = path_of(kToken);
  EXPECT_EQ(asked("http://alice.m.pool.test" + path, "alice.m.pool.test"), "served");
  EXPECT_EQ(asked("http://alice.m.pool.test" + path, "www.pool.test"), "served");
  EXPECT_EQ(asked("http://www.pool.test" + path, "alice.m.pool.test"), "foreign_host");
  EXPECT_EQ(asked("HTTP://ALICE.m.pool.test:80" + path, "x"), "served");
  EXPECT_EQ(asked("http://user@alice.m.pool.test" + path, "alice.m.pool.test"), "malformed");
  EXPECT_EQ(asked("ftp://alice.m.pool.test" + path, "alice.m.pool.test"), "malformed");
  EXPECT_EQ(asked("*", "alice.m.pool.test"), "malformed");
  EXPECT_EQ(asked("alice.m.pool.test:443", "alice.m.pool.test"), "malformed");
}

TEST(ChallengeResponder, only_GET_and_HEAD_and_HEAD_without_a_body) {
  const std::string rest = " " + path_of(kToken) + " HTTP/1.1\r\nHost: alice.m.pool.test";
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get"}) {
    EXPECT_EQ(reason(ask(method + rest)), "method") << method;
  }
  const ChallengeAnswer head = ask("HEAD" + rest);
  EXPECT_EQ(reason(head), "served");
  EXPECT_TRUE(head.octets.ends_with("\r\n\r\n"));
  EXPECT_NE(head.octets.find("Content-Length: 87"), std::string::npos);
}

TEST(ChallengeResponder, malformed_requests_are_told_so) {
  for (const std::string& head :
       {std::string(), std::string("GET"), std::string("GET / HTTP/2"),
        std::string("GET  HTTP/1.1"), std::string("GET / HTTP/1.1\r\nHost : alice.m.pool.test"),
        std::string("GET / HTTP/1.1\r\nHost: alice.m.pool.test\r\n folded"),
        std::string("GET / HTTP/1.1\r\nno colon"), std::string("GET /\x01 HTTP/1.1\r\nHost: a"),
        std::string("G(T / HTTP/1.1\r\nHost: a"), std::string("\x16\x03\x01\x02"),
        std::string("GET / HTTP/1.1\r\nHost: a\nX: y")}) {
    EXPECT_EQ(reason(ask(head)), "malformed") << head;
  }
  EXPECT_EQ(reason(ask(std::string(kMaxRequestHead + 1, 'a'))), "too_long");
}

TEST(ChallengeResponder, after_the_challenges_are_withdrawn_there_is_nothing) {
  LiveChallenges none;
  none.names = {"alice.m.pool.test"};
  const std::string head = "GET " + path_of(kToken) + " HTTP/1.1\r\nHost: alice.m.pool.test";
  EXPECT_EQ(name_of(answer_challenge(head, none).reason), "not_found");
}

// LM3: whatever is asked, no cookie, no redirect, nothing of the request, and a proof only for its
// own token.
RC_GTEST_PROP(ChallengeResponderProperty, LM3_no_answer_holds_a_cookie_or_what_was_asked, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcXYZ/.:%-_ \r\nHost")));
  const std::string mark = "MARK" + std::to_string(*rc::gen::inRange(1000, 9999));
  const ChallengeAnswer answer = ask("GET /" + mark + text + " HTTP/1.1\r\nHost: " + mark +
                                     "\r\nCookie: " + mark + "\r\nX: " + text);
  RC_ASSERT(answer.octets.find(mark) == std::string::npos);
  RC_ASSERT(answer.octets.find("Set-Cookie") == std::string::npos);
  RC_ASSERT(answer.octets.find("Location") == std::string::npos);
  RC_ASSERT(answer.reason != ChallengeReason::kServed);
}

}  // namespace
}  // namespace timepool::acme
