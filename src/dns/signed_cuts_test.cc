// Signed answers at delegations and wildcards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "dns/signed_testing.h"

namespace timepool::dns {
namespace {

using dns::testing::check_signatures;
using dns::testing::Got;
using dns::testing::keys_for;
using dns::testing::SignedPool;
using ::testing::Contains;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::dns::Header;
using wire::dns::RrType;

constexpr std::uint64_t kDataKey = 2;
constexpr const char* kDs =
    R"("5 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")";

std::shared_ptr<const CompiledZones> zones() {
  return dns::testing::compile({{"p.test", std::string(R"({"ttl": 60, "max_hosts": 2, "data": {
          "": {"ns": ["ns.p.test."]}, "ns": {"a": [["10.0.0.9", 1]]},
          "bare": {"ns": ["ns.bare.p.test."]}, "ns.bare": {"a": [["10.0.0.8", 1]]},
          "safe": {"ns": ["ns.p.test."], "ds": [)") +
                                               kDs + R"(]},
          "child": {"ns": ["ns.p.test."]},
          "w": {"txt": "w"}, "*.w": {"a": [["10.0.1.1", 1], ["10.0.1.2", 1], ["10.0.1.3", 1]],
                                     "txt": "any", "aaaa": [["2001:db8::1", 1]]},
          "few": {"txt": "few"}, "*.few": {"a": [["10.0.3.1", 1], ["10.0.3.2", 1]]},
          "one.w": {"txt": "one"}, "*.c": {"cname": "Ns"}}})"},
                                {"child.p.test", R"({"data": {"": {"a": [["10.0.2.1"]]}}})"},
                                {"other.p.test", R"({"data": {"": {"a": [["10.0.2.2"]]}}})"}});
}

struct SignedCuts : ::testing::Test {
  SignedPool pool{zones(), keys_for({"p.test", "child.p.test"})};
};

TEST_F(SignedCuts, referrals_prove_whether_the_child_has_keys) {
  for (const char* name : {"bare.p.test", "a.b.bare.p.test", "ns.bare.p.test"}) {
    const Got got = pool.ask({.name = name});
    EXPECT_EQ(got.outcome.reason, Reason::kReferral);
    EXPECT_FALSE(got.message->header().has(Header::kAa));
    const auto authority = got.authority();
    ASSERT_THAT(authority, SizeIs(3)) << name;
    EXPECT_THAT(authority[0], ::testing::HasSubstr("bare.p.test. 86400 IN NS ns.bare.p.test."));
    EXPECT_THAT(authority[1],
                ::testing::HasSubstr("bare.p.test. 600 IN NSEC \\000.bare.p.test. NS RRSIG NSEC"));
    EXPECT_THAT(authority[2], ::testing::HasSubstr(" RRSIG NSEC "));
  }
  const Got safe = pool.ask({.name = "x.safe.p.test"});
  const auto authority = safe.authority();
  ASSERT_THAT(authority, SizeIs(3));
  EXPECT_THAT(authority[1], ::testing::HasSubstr("safe.p.test. 60 IN DS 5 13 2 "));
  EXPECT_THAT(authority[2], ::testing::HasSubstr(" RRSIG DS "));
  // Without DO: as ever.
  EXPECT_THAT(pool.ask_bytes(dns::testing::query_bytes({.name = "x.safe.p.test"})).authority(),
              SizeIs(1));
}

TEST_F(SignedCuts, DS_at_a_cut_is_the_zones_own_answer) {
  const Got none = pool.ask({.name = "bare.p.test", .type = RrType::kDs});
  EXPECT_EQ(none.outcome.reason, Reason::kNoData);
  EXPECT_TRUE(none.message->header().has(Header::kAa));
  EXPECT_EQ(check_signatures(none, kDataKey), "");
  const Got some = pool.ask({.name = "safe.p.test", .type = RrType::kDs});
  EXPECT_EQ(some.outcome.reason, Reason::kAnswered);
  EXPECT_EQ(check_signatures(some, kDataKey), "");
}

TEST_F(SignedCuts, a_child_served_here_too_gets_its_DS_from_the_parent) {
  for (const char* name : {"child.p.test", "other.p.test"}) {
    const Got got = pool.ask({.name = name, .type = RrType::kDs});
    EXPECT_EQ(got.outcome.reason, Reason::kNoData);
    EXPECT_EQ(check_signatures(got, kDataKey), "") << name;
    // The zone's data knows of one of them, and of both that they are delegations without keys.
    EXPECT_THAT(got.authority(),
                Contains(std::string(name) + ". 600 IN NSEC \\000." + name + ". NS RRSIG NSEC"));
    EXPECT_THAT(got.authority(), Contains(StartsWith("p.test. 600 IN SOA")));
  }
  EXPECT_EQ(check_signatures(pool.ask({.name = "child.p.test"}), kDataKey), "");
  EXPECT_THAT(pool.ask({.name = "other.p.test"}).answers(), SizeIs(1)) << "has no keys";
}

TEST_F(SignedCuts, wildcards_are_signed_under_the_name_asked_for) {
  const Got got = pool.ask({.name = "Any.Thing.w.p.test"});
  EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
  EXPECT_THAT(got.answers(), SizeIs(3));
  EXPECT_EQ(check_signatures(got, kDataKey), "");
  // The same again is the same draw, from the worker's memory.
  const auto before = pool.worker.signer.counts().signatures;
  EXPECT_EQ(pool.ask({.name = "any.thing.w.p.test"}).answers().size(), 3U);
  EXPECT_EQ(pool.worker.signer.counts().signatures, before);
  // Past its TTL it is drawn anew.
  pool.now += 61;
  pool.ask({.name = "any.thing.w.p.test"});
  EXPECT_EQ(pool.worker.signer.counts().signatures, before + 1);
}

// Addresses of the answer's records, and of those that the worker says it handed out.
std::set<std::string> given_by(const Got& got) {
  std::set<std::string> out;
  for (const std::string& answer : got.answers()) {
    if (answer.find(" A 10.") != std::string::npos)
      out.insert(answer.substr(answer.rfind(' ') + 1));
  }
  return out;
}
std::set<std::string> told_by(const SignedPool& pool, const Got& got) {
  std::set<std::string> out;
  const auto& set = pool.zones->sets()[got.outcome.pool];
  for (const std::uint32_t record : pool.worker.handed.list()) {
    out.insert(format(IpAddress::from_bytes(pool.zones->record(set, record).last(4))));
  }
  return out;
}

TEST_F(SignedCuts, what_wildcards_hand_out_is_told_signed_now_or_kept) {
  for (const char* name : {"x.w.p.test", "x.w.p.test", "y.w.p.test", "*.w.p.test", "x.few.p.test",
                           "x.few.p.test", "*.few.p.test"}) {
    const Got got = pool.ask({.name = name});
    ASSERT_NE(got.outcome.pool, Outcome::kNone) << name;
    EXPECT_THAT(given_by(got), SizeIs(2)) << name;
    EXPECT_EQ(told_by(pool, got), given_by(got)) << name;
    EXPECT_EQ(check_signatures(got, kDataKey), "") << name;
  }
  const auto before = pool.worker.signer.counts().from_cache;
  // Another draw of the set, while the worker keeps the one of before.
  const Got first = pool.ask({.name = "kept.w.p.test"});
  for (std::uint64_t seed = 50; seed < 60; ++seed) {
    pool.signed_zones = dns::testing::sign_all(pool.plan, seed, 1);
    const Got again = pool.ask({.name = "kept.w.p.test"});
    EXPECT_EQ(given_by(again), given_by(first));
    EXPECT_EQ(told_by(pool, again), given_by(again));
  }
  EXPECT_EQ(pool.worker.signer.counts().from_cache, before + 10);
}

TEST_F(SignedCuts, a_wildcards_own_name_is_answered_with_all_its_records) {
  for (const RrType type : {RrType::kTxt, RrType::kAaaa, RrType::kA}) {
    const Got got = pool.ask({.name = "*.w.p.test", .type = type});
    EXPECT_EQ(got.outcome.reason, Reason::kAnswered) << format(type);
    EXPECT_EQ(check_signatures(got, kDataKey), "") << format(type);
  }
}

// A wildcard's answers are in canonical form, in which names of other case are equal.
TEST(SignedWildcards, RFC4034_6_2_records_that_are_equal_but_for_case_are_one) {
  SignedPool pool(dns::testing::compile({{"p.test", R"({"max_hosts": 2, "data": {
      "*.all": {"mx": [{"mx": "A.example", "preference": 1}, {"mx": "a.example", "preference": 1},
                       {"mx": "b.example", "preference": 1}]},
      "*.some": {"ptr": [["A.example.", 9], ["a.example.", 9], ["b.example.", 1]]}}})"}}),
                  dns::testing::keys_for({"p.test"}));
  for (const char* name : {"*.all.p.test", "x.all.p.test"}) {
    const Got got = pool.ask({.name = name, .type = RrType::kMx});
    EXPECT_EQ(check_signatures(got, kDataKey), "") << name;
    EXPECT_THAT(got.answers(), SizeIs(3)) << name;
  }
  std::set<std::size_t> sizes;
  for (int i = 0; i < 200; ++i) {
    const Got got = pool.ask({.name = "*.some.p.test", .type = RrType::kPtr});
    EXPECT_EQ(check_signatures(got, kDataKey), "");
    sizes.insert(got.answers().size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{2, 3}));
}

TEST_F(SignedCuts, a_type_that_a_wildcard_lacks_is_denied_under_the_name) {
  const Got got = pool.ask({.name = "a.w.p.test", .type = RrType::kMx});
  EXPECT_EQ(got.outcome.reason, Reason::kNoData);
  EXPECT_EQ(check_signatures(got, kDataKey), "");
  EXPECT_THAT(got.authority(),
              Contains("a.w.p.test. 600 IN NSEC \\000.a.w.p.test. A TXT AAAA RRSIG NSEC"));
  // What exists is not covered by the wildcard.
  EXPECT_THAT(pool.ask({.name = "one.w.p.test"}).authority(),
              Contains("one.w.p.test. 600 IN NSEC \\000.one.w.p.test. TXT RRSIG NSEC"));
}

TEST_F(SignedCuts, a_wildcard_alias_is_followed_with_all_signatures) {
  const Got got = pool.ask({.name = "x.c.p.test"});
  EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
  EXPECT_EQ(check_signatures(got, kDataKey), "");
  EXPECT_THAT(got.answers(), SizeIs(4));
  EXPECT_EQ(check_signatures(pool.ask({.name = "*.w.p.test"}), kDataKey), "");
}

TEST_F(SignedCuts, past_the_limit_a_wildcard_is_TC_by_UDP) {
  pool.with.online_signatures = 0;
  for (const char* name : {"x.w.p.test", "x.c.p.test"}) {
    const Got got = pool.ask({.name = name});
    EXPECT_EQ(got.outcome.reason, Reason::kSignatureLimit);
    EXPECT_TRUE(got.message->header().has(Header::kTc));
  }
}

}  // namespace
}  // namespace timepool::dns
