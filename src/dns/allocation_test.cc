// No allocation per query: malloc itself is counted while queries are answered.
#include <gtest/gtest.h>

#include "base/counted_malloc.h"
#include "dns/responder.h"
#include "dns/signed_testing.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::query_bytes;
using wire::dns::RrType;

#ifdef TIMEPOOL_COUNTS_MALLOC
// 200 in a zone's JSON.
std::string weighted_addresses() {
  std::string out;
  for (int i = 0; i < 200; ++i) {
    out += (i > 0 ? "," : "") + std::string("[\"10.0.0.") + std::to_string(i) + "\"," +
           std::to_string(i * i) + "]";
  }
  return out;
}
#endif

TEST(Allocation, none_in_a_hundred_thousand_queries) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  const std::string records = weighted_addresses();
  const auto zones = dns::testing::compile(
      {{"pool.test", R"({"max_hosts": 4, "data": {"": {"a": [)" + records +
                         R"(], "ns": ["a.example."], "txt": "x"}, "de": {"a": [)" + records +
                         R"(]}, "www": {"cname": "@.x"}, "w": {"cname": "www"}}})"}});
  ASSERT_NE(zones, nullptr);
  const std::vector<std::vector<std::byte> > queries{
      query_bytes({.name = "pool.test"}),
      query_bytes({.name = "PooL.test", .subnet = "198.18.0.0/24", .nsid = true}),
      query_bytes({.name = "pool.test", .cookie = std::vector<std::byte>(8)}),
      query_bytes({.name = "no.pool.test"}),
      query_bytes({.name = "pool.test", .type = RrType::kAaaa}),
      query_bytes({.name = "pool.test", .type = RrType::kAny}),
      query_bytes({.name = "w.pool.test"}),
      query_bytes({.name = "example.com"}),
      std::vector<std::byte>(40)};
  const ResponderSettings settings = dns::testing::settings();
  Worker worker(5);
  std::vector<std::byte> out(1232);
  const Rx rx{parse_ip("198.18.0.1").value(), false, 1};
  std::size_t replies = 0;
  const std::uint64_t before = allocations.load();
  for (int i = 0; i < 100'000; ++i) {
    const auto& query = queries[static_cast<std::size_t>(i) % queries.size()];
    replies += respond(rx, query, {*zones, settings}, worker, out).verdict == Verdict::kReply;
  }
  EXPECT_EQ(allocations.load() - before, 0U);
  EXPECT_EQ(replies, 100'000U);
  // The counter counts.
  std::vector<std::byte> seen(10'000);
  EXPECT_GT(allocations.load(), before) << seen.size();
#endif
}

TEST(Allocation, none_in_fifty_thousand_signed_answers) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  const std::string records = weighted_addresses();
  const auto zones = dns::testing::compile(
      {{"pool.test", R"({"max_hosts": 4, "data": {"": {"a": [)" + records +
                         R"(], "ns": ["a.example."], "txt": "x"}, "de": {"a": [)" + records +
                         R"(]}, "www": {"cname": "no.such"}, "w": {"cname": "www"},
                             "*.any": {"a": [)" +
                         records + R"(]}}})"}});
  ASSERT_NE(zones, nullptr);
  dns::testing::SignedPool pool(zones, dns::testing::keys_for({"pool.test"}));
  pool.with.online_signatures = 1'000'000;
  const auto ask = [](const std::string& name, RrType type = RrType::kA) {
    return query_bytes({.name = name, .type = type, .edns = true, .dnssec_ok = true});
  };
  std::vector<std::vector<std::byte> > queries{
      ask("pool.test"),   ask("pool.test", RrType::kDnskey), ask("pool.test", RrType::kAny),
      ask("w.pool.test"), ask("de.pool.test", RrType::kMx),  ask("q.any.pool.test")};
  // More than are kept, so that most are signed.
  for (std::size_t i = 0; i < 2 * OnlineSigner::kEntries; ++i) {
    queries.push_back(ask("r" + std::to_string(i) + ".pool.test"));
  }
  // Too long for a label more.
  queries.push_back(ask(std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                        std::string(63, 'c') + "." + std::string(50, 'd') + ".pool.test"));
  std::vector<std::byte> out(1232);
  const Rx rx{parse_ip("198.18.0.1").value(), false, dns::testing::kNow};
  const Served served{*zones, pool.with, pool.signed_zones.get()};
  std::size_t replies = 0;
  const std::uint64_t before = allocations.load();
  for (std::size_t i = 0; i < 50'000; ++i) {
    const auto& query = queries[i % queries.size()];
    replies += respond(rx, query, served, pool.worker, out).verdict == Verdict::kReply;
  }
  EXPECT_EQ(allocations.load() - before, 0U);
  EXPECT_EQ(replies, 50'000U);
  EXPECT_GT(pool.worker.signer.counts().signatures, 10'000U);
#endif
}

}  // namespace
}  // namespace timepool::dns
