// The API as a client sees it, without a network: requests go through the router.
#include "web/api.h"

#include <gtest/gtest.h>

#include "net/http_testing.h"
#include "store/temporary_store.h"
#include "web/graph.h"
#include "web/pages.h"

namespace timepool::web {
namespace {

constexpr const char* kAdmin = "admin-token-of-the-test";

class Api : public testing::Test {
 protected:
  void SetUp() override {
    config_.servers.allow_private = true;
    store_.open();
    service::ManagerParts parts;
    parts.country_of = [](const IpAddress&) { return std::string("de"); };
    parts.unix_now = [this] { return now_; };
    parts.mono_now = [this] { return mono_; };
    crypto::SigningKey::Seed seed{};
    auto created =
        service::Manager::create(std::move(store_.db), service::settings_of(config_),
                                 crypto::SigningKey::from_seed(seed), std::move(parts), log_);
    ASSERT_TRUE(created.ok()) << created.error().text();
    manager_ = std::move(*created);
    add_api_routes(router_, *manager_, kAdmin,
                   std::make_shared<std::atomic<const net::HttpServer*>>(nullptr));
    add_page_routes(router_, *manager_, kAdmin);
  }
  net::HttpOutcome outcome(const std::string& method, const std::string& target,
                           const std::string& body, net::HttpFields headers, bool last) {
    return net::outcome_of(router_, method, target, body, std::move(headers), last);
  }
  net::HttpResponse call(const std::string& method, const std::string& target,
                         const std::string& body = "", net::HttpFields headers = {}) {
    return net::answer_of(router_, method, target, body, std::move(headers));
  }
  net::HttpResponse admin(const std::string& method, const std::string& target,
                          const std::string& body = "") {
    return call(method, target, body, {{"Authorization", std::string("Bearer ") + kAdmin}});
  }
  static std::string between(const std::string& text, const std::string& from,
                             const std::string& to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return "";
    return text.substr(at + from.size(), text.find(to, at + from.size()) - at - from.size());
  }
  // The same with what was found of its name, on port 4461.
  void report_nts(const std::string& nts) {
    extra_ = R"("nts":{"name":"alice.m.pool.test","port":4461,)" + nts + "},";
    report(0.001, "nts-" + std::to_string(nts.size()));
    extra_.clear();
  }
  // Registers a monitor and lets it report one check of the first server.
  void report(double offset, const std::string& key) {
    if (token_.empty()) {
      const auto added = admin("POST", "/v1/monitors", R"({"name":"m1"})");
      token_ = between(added.body, "\"token\":\"", "\"");
    }
    const net::HttpFields bearer{{"Authorization", "Bearer " + token_}, {"Idempotency-Key", key}};
    const auto work = call("GET", "/v1/work", "", bearer);
    const std::string ticket = between(work.body, "\"ticket\":\"", "\"");
    const std::string body = R"({"results":[{"server":1,"ticket":")" + ticket + R"(","time":")" +
                             format_utc(now_) + R"(",)" + extra_ + R"("samples":[{"offset_s":)" +
                             std::to_string(offset) + R"(,"rtt_s":0.01,"stratum":2}]}]})";
    const auto answer = call("POST", "/v1/results", body, bearer);
    EXPECT_EQ(answer.body, R"({"accepted":1,"rejected":[]})");
    now_ = now_ + Duration::seconds(600);
    mono_ = mono_ + Duration::seconds(600);
  }

  config::PooldConfig config_;
  UnixTime now_ = UnixTime::from_seconds(1'800'000'000);
  MonoTime mono_ = MonoTime::from_ns(1'000'000'000);
  sys::Logger log_{"test", sys::LogLevel::kError};
  store::TemporaryStore store_;
  std::unique_ptr<service::Manager> manager_;
  net::HttpRouter router_;
  std::string token_;
  std::string extra_;  // members of a report besides
};

TEST_F(Api, changing_needs_the_admin_token) {
  for (const auto& [method, target] : {std::pair("POST", "/v1/servers"),
                                       {"PATCH", "/v1/servers/127.0.0.1"},
                                       {"DELETE", "/v1/servers/127.0.0.1"},
                                       {"PUT", "/v1/servers/127.0.0.1/name"},
                                       {"DELETE", "/v1/servers/127.0.0.1/name"},
                                       {"POST", "/v1/monitors"}}) {
    EXPECT_EQ(call(method, target, "{}").status, 401) << method << target;
    EXPECT_EQ(call(method, target, "{}", {{"Authorization", "Bearer x"}}).status, 403);
  }
  EXPECT_EQ(call("GET", "/v1/work").status, 401);
  EXPECT_EQ(call("POST", "/v1/results", "{}").status, 401);
  // The admin token is not a monitor's.
  EXPECT_EQ(admin("GET", "/v1/work").status, 401);
}

TEST_F(Api, server_life) {
  const auto added = admin("POST", "/v1/servers", R"({"address":"127.0.0.1","netspeed":3000})");
  EXPECT_EQ(added.status, 201);
  EXPECT_EQ(added.body,
            R"({"id":1,"address":"127.0.0.1","hostname":"","country":"de",)"
            R"("zones":["de","europe","@"],"netspeed":3000,"active":true,"in_dns":false,"score":0,)"
            R"("stratum":null,"last_offset":null,"last_rtt":null,"last_check":null,)"
            R"("reason":"low_score: not checked yet","owner":"","nts":{"state":"unnamed"}})");
  EXPECT_EQ(admin("POST", "/v1/servers", R"({"address":"127.0.0.1"})").status, 409);
  EXPECT_EQ(call("GET", "/v1/servers").body, "{\"servers\":[" + added.body + "]}");
  EXPECT_EQ(admin("PATCH", "/v1/servers/127.0.0.1", R"({"in_pool":false})").status, 200);
  EXPECT_NE(call("GET", "/v1/servers/127.0.0.1").body.find(R"("reason":"not_in_pool")"),
            std::string::npos);
  EXPECT_EQ(admin("DELETE", "/v1/servers/127.0.0.1").status, 204);
  EXPECT_EQ(call("GET", "/v1/servers/127.0.0.1").status, 404);
  EXPECT_EQ(admin("DELETE", "/v1/servers/127.0.0.1").status, 404);
}

// Servers need no checks to enter the zone.
class ApiOfAnyScore : public Api {
 protected:
  ApiOfAnyScore() { config_.zones.min_score = -100; }
};

TEST_F(ApiOfAnyScore, a_name_is_set_checked_shown_and_removed) {
  admin("POST", "/v1/servers", R"({"address":"127.0.0.1","netspeed":3000})");
  const std::string path = "/v1/servers/127.0.0.1/name";
  const auto message = [&](const std::string& body) {
    return between(admin("PUT", path, body).body, "\"message\":\"", "\"}");
  };
  EXPECT_EQ(message("{}"), "name: is missing");
  EXPECT_EQ(message(R"({"name":"alice","port":0})"), "port: expected an integer, 1 to 65535");
  EXPECT_EQ(message(R"({"name":"alice","account_uris":[1]})"),
            "account_uris: expected an array of texts");
  EXPECT_EQ(message(R"({"name":"alice","uri":1})"), "uri: no such field");
  EXPECT_EQ(message(R"({"name":"www"})"), "name: is reserved");
  EXPECT_EQ(admin("DELETE", path).status, 404);
  const auto named = admin("PUT", path, R"({"name":"alice","port":4461})");
  EXPECT_EQ(named.status, 200);
  EXPECT_EQ(named.body.substr(named.body.find("\"owner\"")),
            R"("owner":"","nts":{"state":"waiting","reason":"",)"
            R"("since":"2027-01-15T08:00:00.000Z","name":"alice","full_name":"alice.m.pool.test",)"
            R"("port":4461,"account_uris":[],"in_srv":false,"not_after":null,"last_check":null}})");
  report_nts(R"("outcome":"untrusted","detail":"<unknown> root")");
  report_nts(R"("outcome":"ok","not_after":"2027-02-19T10:00:00Z","cookies":8,"ke_ms":41.5,)"
             R"("offset_s":0.001)");
  const std::string all = call("GET", "/v1/servers/127.0.0.1").body;
  EXPECT_NE(all.find(R"("state":"confirmed","reason":"")"), std::string::npos) << all;
  EXPECT_NE(all.find(R"("in_srv":true,"not_after":"2027-02-19T10:00:00.000Z")"), std::string::npos);
  EXPECT_NE(all.find(R"("nts_changes":[{"time":"2027-01-15T08:10:00.000Z","name":"alice",)"
                     R"("state":"confirmed","reason":""},)"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find(R"("outcome":"untrusted","code":null,"detail":"<unknown> root")"),
            std::string::npos);
  const std::string page = call("GET", "/scores/127.0.0.1").body;
  EXPECT_NE(page.find("<dd>alice.m.pool.test</dd>"), std::string::npos);
  EXPECT_NE(page.find("<dd>confirmed, in SRV</dd>"), std::string::npos);
  EXPECT_NE(page.find("untrusted: &lt;unknown&gt; root"), std::string::npos);
  const std::string metrics = call("GET", "/metrics").body;
  EXPECT_NE(metrics.find("timepool_poold_nts_servers{state=\"confirmed\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("timepool_poold_servers_in_srv 1\n"), std::string::npos);
  EXPECT_NE(metrics.find("timepool_poold_nts_checks_total{outcome=\"untrusted\"} 1\n"),
            std::string::npos);
  EXPECT_EQ(admin("DELETE", path).status, 204);
  EXPECT_NE(call("GET", "/v1/servers").body.find(R"("state":"removed")"), std::string::npos);
}

TEST_F(ApiOfAnyScore, zones_tell_how_each_name_came_by_its_servers) {
  EXPECT_EQ(call("GET", "/v1/zones").body, R"({"zone":"pool.test","names":[]})");
  ASSERT_EQ(admin("POST", "/v1/servers", R"({"address":"127.0.0.1","netspeed":3000})").status, 201);
  ASSERT_TRUE(manager_->publisher().publish().ok());
  const std::string family = R"({"own":1,"filled":0,"capacity":3000,"capped":0})";
  const std::string none = R"({"own":0,"filled":0,"capacity":0,"capped":0})";
  const auto name = [&](const std::string& label) {
    return R"({"name":")" + label + R"(","v4":)" + family + R"(,"v6":)" + none + R"(,"nts":)" +
           none + "}";
  };
  EXPECT_EQ(call("GET", "/v1/zones").body, R"({"zone":"pool.test","names":[)" + name("@") + "," +
                                               name("de") + "," + name("europe") + "]}");
}

TEST_F(Api, faults_name_the_field) {
  const auto message = [&](const std::string& body) {
    return between(admin("POST", "/v1/servers", body).body, "\"message\":\"", "\"}");
  };
  EXPECT_EQ(message("{}"), "address: is missing");
  EXPECT_EQ(message(R"({"address":5})"), "address: expected a text");
  EXPECT_EQ(message(R"({"address":"127.0.0.1","netspeed":"fast"})"),
            "netspeed: expected an integer, 0 to 4294967295");
  EXPECT_EQ(message(R"({"address":"127.0.0.1","speed":1})"), "speed: no such field");
  EXPECT_EQ(call("GET", "/scores/127.0.0.1/json?limit=x").status, 400);
}

TEST_F(Api, work_waits_until_something_is_due) {
  const auto added = admin("POST", "/v1/monitors", R"({"name":"m1"})");
  const net::HttpFields bearer{
      {"Authorization", "Bearer " + between(added.body, "\"token\":\"", "\"")}};
  auto waiting = outcome("GET", "/v1/work?wait=30", "", bearer, false);
  const auto* wait = std::get_if<net::HttpWait>(&waiting);
  ASSERT_NE(wait, nullptr);
  EXPECT_EQ(wait->at_most, Duration::seconds(30));
  const std::uint64_t seen = wait->seen;
  admin("POST", "/v1/servers", R"({"address":"127.0.0.1"})");
  EXPECT_NE(manager_->work_signal()->version(), seen);
  const auto work = call("GET", "/v1/work?wait=30", "", bearer);
  EXPECT_NE(work.body.find(R"("address":"127.0.0.1","port":123,"samples":3,"ticket":")"),
            std::string::npos);
  EXPECT_NE(work.body.find(R"("interval_ms":540000)"), std::string::npos);
  EXPECT_EQ(call("GET", "/v1/work?wait=1000", "", bearer).status, 400);
  // Due again in nine minutes or so: it waits no longer than that.
  mono_ = mono_ + Duration::seconds(500);
  waiting = outcome("GET", "/v1/work?wait=120", "", bearer, false);
  EXPECT_LT(std::get<net::HttpWait>(waiting).at_most, Duration::seconds(70));
}

TEST_F(Api, scores_are_in_the_pools_formats) {
  admin("POST", "/v1/servers", R"({"address":"127.0.0.1"})");
  report(0.0015, "k1");
  report(0.050, "k2");
  const auto csv = call("GET", "/scores/127.0.0.1/log");
  EXPECT_EQ(csv.body,
            "ts_epoch,ts,offset,step,score,monitor_id,monitor_name,leap,error\n"
            "1800000000,2027-01-15 08:00:00,0.0015,1,1,0,recentmedian,,\n"
            "1800000600,2027-01-15 08:10:00,0.05,0.83365,1.78365,0,recentmedian,,\n");
  const auto json = call("GET", "/scores/127.0.0.1/json?monitor=m1&limit=1");
  EXPECT_EQ(json.body,
            R"({"history":[{"ts":1800000600,"offset":0.05,"step":0.83365,)"
            R"("score":1.78365,"monitor_id":1}],"monitors":[{"id":0,"name":"recentmedian",)"
            R"("type":"score","ts":"2027-01-15T08:10:00Z","score":1.8,"status":"active"},)"
            R"({"id":1,"name":"m1","type":"monitor","ts":"2027-01-15T08:10:00Z","score":1.8,)"
            R"("status":"active"}],"server":{"ip":"127.0.0.1"}})");
  const auto all = call("GET", "/scores/127.0.0.1/log?monitor=*&since=1800000600");
  EXPECT_EQ(std::count(all.body.begin(), all.body.end(), '\n'), 3);
  EXPECT_EQ(call("GET", "/scores/127.0.0.1/log?monitor=nobody").status, 404);
  EXPECT_EQ(call("GET", "/scores/127.0.0.2/log").status, 404);
  EXPECT_EQ(json.headers.value("Access-Control-Allow-Origin"), "*");
}

TEST_F(Api, snapshot_is_served_with_its_tag) {
  const auto first = call("GET", "/v1/snapshot/dns");
  EXPECT_EQ(first.status, 200);
  const std::string tag(first.headers.value("ETag"));
  EXPECT_EQ(tag, "\"" + std::to_string(manager_->publisher().current()->serial) + "\"");
  EXPECT_EQ(call("GET", "/v1/snapshot/dns", "", {{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(call("GET", "/v1/snapshot/other").status, 404);
  EXPECT_EQ(between(call("GET", "/v1/snapshot-key").body, "\":\"", "\""),
            manager_->publisher().public_key_hex());
}

TEST_F(Api, status_pages_answer) {
  EXPECT_EQ(call("GET", "/healthz").status, 200);
  EXPECT_NE(call("GET", "/metrics").body.find("\ntimepool_poold_servers 0\n"), std::string::npos);
}

TEST_F(Api, pages_are_complete_without_scripts_and_styles_inside) {
  EXPECT_NE(call("GET", "/").body.find("No server is registered yet"), std::string::npos);
  admin("POST", "/v1/servers", R"({"address":"127.0.0.1","hostname":"a.example"})");
  for (int i = 0; i < 3; ++i) report(0.001, "k" + std::to_string(i));
  const auto list = call("GET", "/");
  EXPECT_NE(list.body.find(R"(<a href="/scores/127.0.0.1">127.0.0.1</a>)"), std::string::npos);
  const auto page = call("GET", "/scores/127.0.0.1");
  EXPECT_NE(page.body.find("<svg class=\"graph\""), std::string::npos);
  EXPECT_NE(page.body.find("/scores/127.0.0.1/log"), std::string::npos);
  EXPECT_NE(page.body.find("<td>m1</td>"), std::string::npos);
  for (const auto& body : {list.body, page.body}) {
    EXPECT_EQ(body.find("<script"), std::string::npos);
    EXPECT_EQ(body.find("style="), std::string::npos);
    EXPECT_EQ(body.find("{{"), std::string::npos);
  }
  const std::string style = between(list.body, "rel=\"stylesheet\" href=\"", "\"");
  EXPECT_EQ(call("GET", style).status, 200);
  EXPECT_NE(call("GET", style).headers.value("Cache-Control").find("immutable"),
            std::string_view::npos);
  EXPECT_EQ(call("GET", "/scores/127.0.0.9").status, 404);
}

TEST_F(Api, the_form_of_a_page_names_a_server_and_takes_the_name_away) {
  admin("POST", "/v1/servers", R"({"address":"2001:db8::1"})");
  const net::HttpFields type{{"Content-Type", "application/x-www-form-urlencoded"}};
  const std::string path = "/scores/2001:db8::1/name";
  const std::string token = std::string("token=") + kAdmin;
  EXPECT_EQ(call("GET", "/scores/2001:db8::1").body.find("value=\"remove\""), std::string::npos);

  const auto set = call("POST", path,
                        token +
                            "&action=set&name=alice&port=4461&account_uris=https%3A%2F%2Fca.test"
                            "%2F1++https%3A%2F%2Fca.test%2F2",
                        type);
  EXPECT_EQ(set.status, 303) << set.body;
  EXPECT_EQ(set.headers.value("Location"), "/scores/2001%3Adb8%3A%3A1#nts");
  const std::string json = call("GET", "/v1/servers/2001:db8::1").body;
  EXPECT_NE(json.find(R"("full_name":"alice.m.pool.test","port":4461,)"
                      R"("account_uris":["https://ca.test/1","https://ca.test/2"])"),
            std::string::npos)
      << json;
  const std::string page = call("GET", "/scores/2001:db8::1").body;
  EXPECT_NE(page.find("value=\"alice\""), std::string::npos);
  EXPECT_NE(page.find("value=\"remove\""), std::string::npos);

  EXPECT_EQ(call("POST", path, token + "&action=remove", type).status, 303);
  EXPECT_NE(call("GET", "/v1/servers/2001:db8::1").body.find(R"("state":"removed")"),
            std::string::npos);
  EXPECT_EQ(call("POST", path, token + "&action=remove", type).status, 404);
}

TEST_F(Api, the_form_of_a_page_says_what_was_wrong_and_keeps_what_was_typed) {
  admin("POST", "/v1/servers", R"({"address":"127.0.0.1"})");
  const net::HttpFields type{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  const std::string token = std::string("token=") + kAdmin;
  struct Case {
    std::string body;
    int status;
    const char* fault;
  };
  const std::vector<Case> cases = {
      {"action=set&name=alice", 403, "not the token"},
      {"token=guess&action=set&name=alice", 403, "not the token"},
      {token + "&action=set&name=www", 400, "is reserved"},
      {token + "&action=set&name=alice&port=0", 400, "port: expected an integer, 1 to 65535"},
      {token + "&action=set&name=alice&port=65536", 400, "port: expected"},
      {token + "&action=set&name=alice&port=12x", 400, "port: expected"},
      {token + "&action=set&name=%22%3E%3Cimg%3E", 400, "expected"},
      {token + "&action=break&name=alice", 400, "action: expected set or remove"},
      {token + "&action=set&name=%zz", 400, "encoding is damaged"},
      {token + "&action=remove", 404, "name"},
  };
  for (const Case& one : cases) {
    const auto got = call("POST", "/scores/127.0.0.1/name", one.body, type);
    EXPECT_EQ(got.status, one.status) << one.body;
    EXPECT_NE(between(got.body, "role=\"alert\">", "</p>").find(one.fault), std::string::npos)
        << one.body << "\n"
        << got.body;
    EXPECT_EQ(got.body.find(kAdmin), std::string::npos) << "the token is not sent back";
    EXPECT_EQ(got.body.find("<img"), std::string::npos);
  }
  const auto kept =
      call("POST", "/scores/127.0.0.1/name", token + "&action=set&name=www&port=77", type);
  EXPECT_NE(kept.body.find("value=\"www\""), std::string::npos);
  EXPECT_NE(kept.body.find("value=\"77\""), std::string::npos);
  EXPECT_EQ(call("POST", "/scores/127.0.0.1/name", token + "&action=set&name=alice").status, 415);
  EXPECT_EQ(call("POST", "/scores/127.0.0.9/name", token + "&action=set&name=alice", type).status,
            404);
  EXPECT_EQ(call("GET", "/v1/servers/127.0.0.1").body.find("alice"), std::string::npos);
}

TEST(PagesTest, escape_every_value) {
  const Pages pages;
  service::ServerView view;
  view.server.hostname = "<script>alert(1)</script>";
  view.reason = "\"><img src=x>";
  const std::string page = pages.servers({"<b>", 1, 2, 10}, {view}, UnixTime());
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
}

TEST(Graph, draws_any_history_inside_its_frame) {
  EXPECT_EQ(history_graph({}, 10).find("<svg"), std::string::npos);
  std::vector<store::ScoreEntry> entries(5);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].time = UnixTime::from_seconds(1'800'000'000);
    entries[i].score = i % 2 == 0 ? -1e9 : 1e9;
    entries[i].offset_s = 1e10;
    entries[i].monitor_id = 1;
  }
  entries[4].offset_s = std::nullopt;
  const std::string graph = history_graph(entries, 10);
  EXPECT_NE(graph.find("<svg"), std::string::npos);
  EXPECT_EQ(graph.find("nan"), std::string::npos);
  EXPECT_EQ(graph.find("inf"), std::string::npos);
  EXPECT_EQ(graph.find("e+"), std::string::npos);
}

}  // namespace
}  // namespace timepool::web
