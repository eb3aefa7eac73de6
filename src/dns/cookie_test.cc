// The secrets of cookies over epochs. The form of a cookie is tested with the responder.
#include "dns/cookie.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::ask_bytes;
using dns::testing::query_bytes;

constexpr std::uint32_t kDay = 86'400;

CookieSecrets secrets_of(std::uint32_t epoch) {
  const std::uint64_t e = epoch;
  return {kDay, epoch, {{{e - 1, 5}, {e, 5}, {e + 1, 5}}}};
}

struct Client {
  std::vector<std::byte> own = from_hex("2464c4abcf10c957").value();
  IpAddress address = parse_ip("198.51.100.100").value();
};

CookieUse use(const CookieSecrets& secrets, const Client& client, Bytes server, std::uint32_t now) {
  return check_cookie(secrets, client.own, server, client.address, now).use;
}

TEST(CookieSecrets, each_moment_has_the_secret_of_its_epoch) {
  const CookieSecrets secrets = secrets_of(100);
  EXPECT_EQ(secrets.at(100 * kDay), secrets.keys[1]);
  EXPECT_EQ(secrets.at(101 * kDay - 1), secrets.keys[1]);
  EXPECT_EQ(secrets.at(100 * kDay - 1), secrets.keys[0]);
  EXPECT_EQ(secrets.at(101 * kDay), secrets.keys[2]);
  EXPECT_EQ(secrets.at(5 * kDay), secrets.keys[0]) << "the nearest";
  EXPECT_EQ(secrets.at(500 * kDay), secrets.keys[2]);
}

TEST(CookieSecrets, a_cookie_outlives_its_secrets_epoch_and_a_server_that_is_ahead) {
  const Client client;
  const std::uint32_t end = 101 * kDay;
  const CheckedCookie made =
      check_cookie(secrets_of(100), client.own, {}, client.address, end - 10);
  EXPECT_EQ(made.use, CookieUse::kClient);
  EXPECT_EQ(use(secrets_of(100), client, made.answer, end - 5), CookieUse::kGood);
  EXPECT_EQ(use(secrets_of(101), client, made.answer, end + 5), CookieUse::kGood);
  EXPECT_EQ(use(secrets_of(101), client, made.answer, end + 3500), CookieUse::kGood);
  EXPECT_EQ(use(secrets_of(101), client, made.answer, end + 3600), CookieUse::kBad);
  EXPECT_EQ(use(secrets_of(102), client, made.answer, end + 5), CookieUse::kBad)
      << "a server that is a whole epoch ahead has other secrets";
  // One whose clock is ahead makes a cookie of the next epoch: those behind it take it.
  const CheckedCookie ahead =
      check_cookie(secrets_of(101), client.own, {}, client.address, end + 100);
  EXPECT_EQ(use(secrets_of(100), client, ahead.answer, end - 100), CookieUse::kGood);
}

TEST(CookieSecrets, a_cookie_is_renewed_after_half_an_hour_and_kept_before) {
  const Client client;
  const auto secrets = secrets_of(100);
  const std::uint32_t now = 100 * kDay + 5000;
  const ServerCookie made = check_cookie(secrets, client.own, {}, client.address, now).answer;
  EXPECT_EQ(check_cookie(secrets, client.own, made, client.address, now + 1800).answer, made);
  const CheckedCookie old = check_cookie(secrets, client.own, made, client.address, now + 1801);
  EXPECT_EQ(old.use, CookieUse::kGood);
  EXPECT_NE(old.answer, made);
  EXPECT_EQ(use(secrets, client, Bytes(made).first(8), now), CookieUse::kBad);
}

TEST(CookieSecrets, without_a_good_cookie_answers_by_udp_are_as_short_as_asked) {
  std::string records;
  for (int i = 0; i < 40; ++i) {
    records += (i > 0 ? "," : "") + std::string("[\"10.2.0.") + std::to_string(i) + "\", 1]";
  }
  const auto zones = dns::testing::compile(
      {{"big.test", R"({"max_hosts": 40, "data": {"": {"a": [)" + records + "]}}}"}});
  ResponderSettings settings = dns::testing::settings();
  settings.max_udp_without_cookie = 512;
  const Client client;
  const Rx rx{client.address, false, 100 * kDay};
  std::vector<std::byte> out(4096);
  Worker worker(1);
  const auto ask = [&](std::vector<std::byte> cookie) {
    return respond(rx, query_bytes({.name = "big.test", .edns = true, .cookie = cookie}),
                   {*zones, settings}, worker, out);
  };
  EXPECT_EQ(ask({}).reason, Reason::kTruncated);
  EXPECT_EQ(ask(client.own).reason, Reason::kTruncated);
  auto both = client.own;
  const auto made = check_cookie(settings.cookies, client.own, {}, client.address, rx.now);
  both.insert(both.end(), made.answer.begin(), made.answer.end());
  const Outcome whole = ask(both);
  EXPECT_EQ(whole.reason, Reason::kAnswered);
  EXPECT_EQ(whole.cookie, CookieUse::kGood);
  EXPECT_GT(whole.length, 512);
}

}  // namespace
}  // namespace timepool::dns
