// No allocation per query: malloc itself is counted while queries are answered.
#include <gtest/gtest.h>

#include "base/counted_malloc.h"
#include "dns/responder.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::query_bytes;
using wire::dns::RrType;

TEST(Allocation, none_in_a_hundred_thousand_queries) {
#ifndef TIMEPOOL_COUNTS_MALLOC
  GTEST_SKIP() << "a sanitizer counts allocations itself";
#else
  std::string records;
  for (int i = 0; i < 200; ++i) {
    records += (i > 0 ? "," : "") + std::string("[\"10.0.0.") + std::to_string(i) + "\"," +
               std::to_string(i * i) + "]";
  }
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

}  // namespace
}  // namespace timepool::dns
