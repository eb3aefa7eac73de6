#include "net/http_router.h"

#include <gtest/gtest.h>

#include <string>

namespace timepool::net {
namespace {

HttpHandler named(std::string name) {
  return [name](const HttpRequest&) { return http_text(200, "text/plain", name); };
}

HttpTarget target(std::string_view text) {
  auto parsed = parse_target(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : HttpTarget{};
}

TEST(HttpTarget, splits_the_path_before_it_decodes) {
  const HttpTarget parsed = target("/a%2Fb/2001:db8::1/?x=1&y=a+b%26c&z");
  EXPECT_EQ(parsed.segments, (std::vector<std::string>{"a/b", "2001:db8::1", ""}));
  EXPECT_EQ(parsed.path, "/a%2Fb/2001:db8::1/");
  EXPECT_EQ(parsed.query, (HttpPairs{{"x", "1"}, {"y", "a b&c"}, {"z", ""}}));
}

TEST(HttpTarget, takes_the_absolute_form) {
  EXPECT_EQ(target("http://pool.test/a?b=c").path, "/a");
  EXPECT_EQ(target("http://pool.test").path, "/");
}

TEST(HttpTarget, refuses_what_is_malformed) {
  EXPECT_EQ(parse_target("").error(), BadTarget::kForm);
  EXPECT_EQ(parse_target("a/b").error(), BadTarget::kForm);
  EXPECT_EQ(parse_target("http:///a").error(), BadTarget::kForm);
  EXPECT_EQ(parse_target("pool.test:80").error(), BadTarget::kForm);
  EXPECT_EQ(parse_target("/%4").error(), BadTarget::kEscape);
  EXPECT_EQ(parse_target("/?a=%zz").error(), BadTarget::kEscape);
  EXPECT_EQ(parse_target("/%00").error(), BadTarget::kCharacter);
  EXPECT_EQ(parse_target("/a?b=%0d%0a").error(), BadTarget::kCharacter);
}

TEST(HttpTarget, limits_segments_and_parameters) {
  std::string path;
  for (std::size_t i = 0; i < kMaxPathSegments; ++i) path += "/s";
  EXPECT_TRUE(parse_target(path).ok());
  EXPECT_EQ(parse_target(path + "/s").error(), BadTarget::kTooMany);
  std::string query = "/?";
  for (std::size_t i = 0; i < kMaxQueryPairs; ++i) query += "a&";
  EXPECT_TRUE(parse_target(query).ok());
  EXPECT_EQ(parse_target(query + "a").error(), BadTarget::kTooMany);
}

TEST(HttpTarget, encoding_is_undone_by_decoding) {
  const std::string text = "a b/%+?&=~\xc3\xa9";
  EXPECT_EQ(*percent_decode(percent_encode(text), false), text);
  EXPECT_EQ(*percent_decode(percent_encode(text), true), text);
}

TEST(HttpRouter, literal_segments_win_over_parameters) {
  HttpRouter router;
  router.on("GET", "/v1/servers/{address}", named("one"));
  router.on("GET", "/v1/servers/new", named("new"));
  EXPECT_EQ(router.match("GET", target("/v1/servers/new")).route->pattern, "/v1/servers/new");
  const auto match = router.match("GET", target("/v1/servers/192.0.2.1"));
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.params, (HttpPairs{{"address", "192.0.2.1"}}));
}

TEST(HttpRouter, names_the_methods_of_a_path) {
  HttpRouter router;
  router.on("GET", "/v1/servers", named("list"));
  router.on("POST", "/v1/servers", named("add"));
  const auto match = router.match("PUT", target("/v1/servers"));
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(router.match("GET", target("/v1/server")).allow, "");
  EXPECT_EQ(router.match("HEAD", target("/v1/servers")).route->method, "GET");
}

TEST(HttpRouter, a_parameter_does_not_match_an_empty_segment) {
  HttpRouter router;
  router.on("GET", "/scores/{ip}", named("page"));
  EXPECT_EQ(router.match("GET", target("/scores/")).route, nullptr);
  EXPECT_EQ(router.match("GET", target("/scores/a/b")).route, nullptr);
}

TEST(HttpMessage, header_fields_compare_without_case) {
  HttpFields fields{{"Content-Type", "a"}};
  fields.add("content-type", "b");
  EXPECT_EQ(fields.value("CONTENT-TYPE"), "a");
  EXPECT_EQ(fields.count("Content-type"), 2u);
  fields.set("content-TYPE", "c");
  EXPECT_EQ(fields.all().size(), 1u);
}

TEST(HttpMessage, reads_bearer_tokens_and_preferences) {
  HttpRequest request;
  request.headers = {{"Authorization", "bearer  abc"}, {"Prefer", "respond-async, wait=60; x=1"}};
  EXPECT_EQ(request.bearer_token(), "abc");
  EXPECT_EQ(request.prefer_wait(), 60u);
  request.headers = {{"Authorization", "Basic abc"}, {"Prefer", "wait=6x, wait=7"}};
  EXPECT_EQ(request.bearer_token(), "");
  EXPECT_EQ(request.prefer_wait(), 7u);
  request.headers = {{"Prefer", "wait=99999999999"}};
  EXPECT_EQ(request.prefer_wait(), std::nullopt);
}

TEST(HttpMessage, matches_etags_weakly) {
  EXPECT_TRUE(etag_matches("\"1\", W/\"2\"", "\"2\""));
  EXPECT_TRUE(etag_matches("*", "\"2\""));
  EXPECT_FALSE(etag_matches("\"1\"", "\"2\""));
  EXPECT_FALSE(etag_matches("", "\"2\""));
}

TEST(HttpMessage, error_bodies_escape_their_text) {
  const HttpResponse response = http_error(400, "invalid", "a \"quoted\"\nline");
  EXPECT_EQ(response.body,
            "{\"error\":{\"code\":\"invalid\",\"message\":\"a \\\"quoted\\\"\\nline\"}}\n");
  EXPECT_EQ(http_error(Error{ErrorCode::kNotFound, "server 192.0.2.1", "not in the pool"}).status,
            404);
  EXPECT_EQ(http_error(Error{ErrorCode::kSystem, "open /secret", "denied"}).body.find("/secret"),
            std::string::npos);
}

TEST(HttpMessage, error_bodies_are_utf8_whatever_they_repeat) {
  const auto message = [](std::string_view text) { return http_error(400, "invalid", text).body; };
  EXPECT_NE(message("caf\xc3\xa9 \xf0\x9f\x95\x90").find("caf\xc3\xa9 \xf0\x9f\x95\x90\""),
            std::string::npos);
  EXPECT_NE(message("a\xff z").find(":\"a? z\""), std::string::npos);
  EXPECT_NE(message("cut \xe2\x82").find(":\"cut ??\""), std::string::npos);
  EXPECT_NE(message("overlong \xc0\xaf").find(":\"overlong ??\""), std::string::npos);
  EXPECT_NE(message("surrogate \xed\xa0\x80").find(":\"surrogate ???\""), std::string::npos);
}

}  // namespace
}  // namespace timepool::net
