#include "dns/signed_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/hex.h"
#include "dns/signed_testing.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::dns {
namespace {

using dns::testing::Ask;
using dns::testing::check_signatures;
using dns::testing::Got;
using dns::testing::HashSigner;
using dns::testing::keys_for;
using dns::testing::kNow;
using dns::testing::query_bytes;
using dns::testing::SignedPool;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using wire::dns::Header;
using wire::dns::Rcode;
using wire::dns::RrType;
using wire::dns::Section;

constexpr std::uint64_t kKeysKey = 1;
constexpr std::uint64_t kDataKey = 2;

std::string many(const char* net, int count) {
  std::string out;
  for (int i = 1; i <= count; ++i) {
    out += (i > 1 ? ",[\"" : "[\"") + std::string(net) + std::to_string(i) + "\"," +
           std::to_string(i) + "]";
  }
  return out;
}

std::shared_ptr<const CompiledZones> zones() {
  static const auto out =
      dns::testing::compile({{"pool.test",
                              R"({"ttl": 60, "max_hosts": 4, "targeting": "@ continent country",
         "data": {
         "": {"ns": ["ns1.pool.test.", "ns2.example."], "a": [["10.0.0.1", 10], ["10.0.0.2", 1]],
              "txt": "time", "mx": [{"mx": "mail", "preference": 1}]},
         "us": {"a": [)" + many("10.1.0.", 6) +
                                  R"(]},
         "europe": {"a": [)" + many("10.2.0.", 40) +
                                  R"(], "aaaa": [["2001:db8::1", 1]]},
         "ns1": {"a": [["10.0.0.53", 1]]},
         "x.y.z": {"a": [["10.0.8.1", 1]], "ttl": 7},
         "www": {"cname": "x.y.z"}, "lost": {"cname": "no.such"},
         "away": {"cname": "elsewhere.example."}, "www.us": {"cname": "ns1"},
         "_ntp._udp": {"srv": [{"target": "x.y.z", "port": 123, "priority": 1, "srv_weight": 2}]}
         }})"},
                             {"plain.test", R"({"data": {"": {"a": [["10.9.0.1"]]}}})"}});
  return out;
}

class SignedAnswerTest : public ::testing::Test {
 protected:
  SignedPool pool_{zones(), keys_for({"pool.test"})};

  Got ask(const char* name, RrType type = RrType::kA, const char* from = "100.64.0.1") {
    return pool_.ask({.name = name, .type = type}, from);
  }
  // The types of the NSEC of a reply.
  static std::set<RrType> denied(const Got& got) {
    std::set<RrType> out;
    auto cursor = got.message->records();
    while (const auto record = cursor.next()) {
      if (record->type != RrType::kNsec) continue;
      const wire::dns::Rdata data = got.message->rdata(*record);
      wire::dns::for_each_type(std::get<wire::dns::Nsec>(data).types,
                               [&out](RrType type) { out.insert(type); });
    }
    return out;
  }
};

TEST_F(SignedAnswerTest, every_answer_has_its_signatures) {
  for (const char* from : {"100.64.0.1", "198.18.0.1", "198.19.0.1", "198.51.100.1"}) {
    for (const char* name :
         {"pool.test", "PoOl.TeSt", "us.pool.test", "europe.pool.test", "x.y.z.pool.test",
          "z.pool.test", "www.pool.test", "lost.pool.test", "away.pool.test", "no.pool.test",
          "a.b.c.pool.test", "_ntp._udp.pool.test", "ns1.pool.test"}) {
      for (const RrType type :
           {RrType::kA, RrType::kAaaa, RrType::kNs, RrType::kSoa, RrType::kTxt, RrType::kMx,
            RrType::kSrv, RrType::kCname, RrType::kNsec, RrType::kRrsig, RrType::kAny, RrType::kDs,
            static_cast<RrType>(4711)}) {
        for (int i = 0; i < 5; ++i) {
          const Got got = ask(name, type, from);
          ASSERT_NE(got.outcome.reason, Reason::kTruncated);
          EXPECT_EQ(check_signatures(got, kDataKey), "") << from << " " << name << format(type);
        }
      }
    }
  }
}

TEST_F(SignedAnswerTest, without_DO_nothing_is_signed) {
  for (const char* name : {"pool.test", "no.pool.test", "z.pool.test", "www.pool.test"}) {
    const Got got = pool_.ask_bytes(query_bytes({.name = name, .edns = true}));
    EXPECT_THAT(got.answers(), ::testing::Each(::testing::Not(::testing::HasSubstr("RRSIG"))));
    EXPECT_THAT(got.authority(), ::testing::Each(::testing::Not(::testing::HasSubstr("NSEC"))));
  }
  EXPECT_EQ(pool_.ask_bytes(query_bytes({.name = "no.pool.test"})).message->rcode(),
            Rcode::kNxDomain);
}

TEST_F(SignedAnswerTest, a_zone_without_keys_stays_as_it_was) {
  EXPECT_THAT(ask("plain.test").answers(), ElementsAre("plain.test. 120 IN A 10.9.0.1"));
  const Got got = ask("no.plain.test");
  EXPECT_EQ(got.message->rcode(), Rcode::kNxDomain);
  EXPECT_THAT(got.authority(), ElementsAre(StartsWith("plain.test. 1200 IN SOA")));
}

TEST_F(SignedAnswerTest, RFC4035_3_1_keys_are_given_to_all_who_ask_and_signed_to_those_with_DO) {
  const Got with = ask("pool.test", RrType::kDnskey);
  EXPECT_THAT(with.answers(), SizeIs(3));
  EXPECT_EQ(check_signatures(with, kKeysKey), "");
  const Got cds = ask("pool.test", RrType::kCds);
  EXPECT_THAT(cds.answers(), SizeIs(2));
  EXPECT_EQ(check_signatures(cds, kKeysKey), "");
  EXPECT_THAT(
      pool_.ask_bytes(query_bytes({.name = "pool.test", .type = RrType::kDnskey})).answers(),
      SizeIs(2));
  EXPECT_EQ(ask("us.pool.test", RrType::kDnskey).outcome.reason, Reason::kNoData);
  EXPECT_EQ(ask("pool.test", RrType::kCdnskey).outcome.reason, Reason::kNoData);
}

TEST_F(SignedAnswerTest, RFC9824_3_1_no_such_name_is_one_NSEC_with_NXNAME_and_no_error) {
  const Got got = ask("No.Pool.test");
  EXPECT_EQ(got.outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(got.message->rcode(), Rcode::kNoError);
  ASSERT_THAT(got.authority(), SizeIs(4));
  EXPECT_THAT(got.authority(), Contains("No.Pool.test. 600 IN NSEC \\000.no.pool.test. RRSIG NSEC "
                                        "NXNAME"));
  EXPECT_EQ(check_signatures(got, kDataKey), "");
}

TEST_F(SignedAnswerTest, RFC9824_5_1_who_sets_CO_gets_NXDOMAIN_and_CO_back) {
  std::vector<std::byte> query =
      query_bytes({.name = "no.pool.test", .edns = true, .dnssec_ok = true});
  query[query.size() - 4] |= std::byte{0x40};
  const Got got = pool_.ask_bytes(query);
  EXPECT_EQ(got.message->rcode(), Rcode::kNxDomain);
  EXPECT_EQ(got.message->edns()->header.flags, 0xc000);
  EXPECT_EQ(check_signatures(got, kDataKey), "");
  EXPECT_EQ(ask("no.pool.test").message->edns()->header.flags, 0x8000);
  std::vector<std::byte> plain =
      query_bytes({.name = "no.plain.test", .edns = true, .dnssec_ok = true});
  plain[plain.size() - 4] |= std::byte{0x40};
  EXPECT_EQ(pool_.ask_bytes(plain).message->edns()->header.flags, 0x8000);
}

TEST_F(SignedAnswerTest, RFC9824_3_2_absent_types_are_denied_by_the_types_of_the_name) {
  EXPECT_THAT(denied(ask("z.pool.test")), ElementsAre(RrType::kRrsig, RrType::kNsec))
      << "an empty non-terminal";
  EXPECT_THAT(denied(ask("_ntp._udp.pool.test")),
              ElementsAre(RrType::kSrv, RrType::kRrsig, RrType::kNsec));
  EXPECT_THAT(
      denied(ask("pool.test", RrType::kSrv)),
      ElementsAre(RrType::kA, RrType::kNs, RrType::kSoa, RrType::kMx, RrType::kTxt, RrType::kAaaa,
                  RrType::kRrsig, RrType::kNsec, RrType::kDnskey, RrType::kCds));
}

TEST_F(SignedAnswerTest, a_type_that_others_are_given_is_not_said_to_be_here) {
  const Got here = ask("pool.test", RrType::kAaaa, "198.19.0.1");
  EXPECT_EQ(here.outcome.reason, Reason::kNoData);
  EXPECT_FALSE(denied(here).contains(RrType::kAaaa));
  EXPECT_TRUE(denied(here).contains(RrType::kA));
  EXPECT_EQ(ask("pool.test", RrType::kAaaa, "198.18.0.1").outcome.reason, Reason::kAnswered);
  // RFC 6840 4.3: no proof of absence has CNAME.
  const Got none = ask("www.us.pool.test", RrType::kAaaa, "100.64.0.1");
  EXPECT_EQ(none.outcome.reason, Reason::kAnswered);
}

TEST_F(SignedAnswerTest, RFC8482_any_is_the_NSEC_and_NSEC_and_RRSIG_are_answered) {
  EXPECT_EQ(ask("us.pool.test", RrType::kAny).answers().size(), 2U);
  EXPECT_THAT(ask("us.pool.test", RrType::kNsec).answers()[0],
              "us.pool.test. 600 IN NSEC \\000.us.pool.test. A RRSIG NSEC");
  EXPECT_THAT(ask("us.pool.test", RrType::kRrsig).answers(),
              ElementsAre(StartsWith("us.pool.test. 600 IN RRSIG NSEC ")));
  EXPECT_THAT(ask("www.pool.test", RrType::kNsec).answers()[0],
              "www.pool.test. 600 IN NSEC \\000.www.pool.test. CNAME RRSIG NSEC");
  EXPECT_THAT(ask("no.pool.test", RrType::kRrsig).answers(), SizeIs(1));
}

TEST_F(SignedAnswerTest, a_name_that_is_asked_for_again_costs_no_signature) {
  const std::uint64_t before = pool_.worker.signer.counts().signatures;
  for (int i = 0; i < 10; ++i) ask("again.pool.test");
  EXPECT_EQ(pool_.worker.signer.counts().signatures, before + 1);
  EXPECT_EQ(pool_.worker.signer.counts().from_cache, 9U);
  // Past half of its life, and when the clock went back, it is signed anew.
  pool_.now = kNow + 13 * 3600;
  const Got later = ask("again.pool.test");
  EXPECT_EQ(pool_.worker.signer.counts().signatures, before + 2);
  EXPECT_EQ(check_signatures(later, kDataKey, kNow), "again.pool.test. NSEC is not valid now")
      << "as of then it begins later";
  pool_.now = kNow;
  EXPECT_EQ(check_signatures(ask("again.pool.test"), kDataKey), "");
  EXPECT_EQ(pool_.worker.signer.counts().signatures, before + 3);
}

TEST_F(SignedAnswerTest, a_flood_of_names_is_answered_TC_by_UDP_and_proven_clients_go_on) {
  pool_.with.online_signatures = 20;
  int truncated = 0;
  for (int i = 0; i < 100; ++i) {
    const Got got = ask(("r" + std::to_string(i) + ".pool.test").c_str());
    if (got.outcome.reason != Reason::kSignatureLimit) continue;
    ++truncated;
    EXPECT_TRUE(got.message->header().has(Header::kTc));
    EXPECT_EQ(got.message->rcode(), Rcode::kNoError);
    EXPECT_THAT(got.authority(), IsEmpty());
  }
  EXPECT_EQ(truncated, 80);
  // By TCP there is a budget of its own; past it the answer is SERVFAIL.
  int failed = 0;
  for (int i = 0; i < 100; ++i) {
    const Got got = pool_.ask({.name = "t" + std::to_string(i) + ".pool.test"}, "100.64.0.1", true);
    failed += got.message->rcode() == Rcode::kServFail;
    if (i < 20) {
      EXPECT_EQ(check_signatures(got, kDataKey), "");
    }
  }
  EXPECT_EQ(failed, 80);
  // Answers that are signed ahead, and names that are kept, cost nothing of it.
  EXPECT_EQ(check_signatures(ask("us.pool.test"), kDataKey), "");
  EXPECT_EQ(check_signatures(ask("r5.pool.test"), kDataKey), "");
  ++pool_.now;
  EXPECT_EQ(check_signatures(ask("r99.pool.test"), kDataKey), "");
}

TEST_F(SignedAnswerTest, a_good_cookie_proves_an_address_too) {
  pool_.with.online_signatures = 1;
  const std::vector<std::byte> client(8, std::byte{5});
  const Got first = pool_.ask({.name = "one.pool.test", .cookie = client});
  const auto& cookie = first.message->edns()->cookie;
  std::vector<std::byte> both(cookie->client.begin(), cookie->client.end());
  both.insert(both.end(), cookie->server.begin(), cookie->server.end());
  EXPECT_EQ(ask("two.pool.test").outcome.reason, Reason::kSignatureLimit);
  EXPECT_EQ(pool_.ask({.name = "two.pool.test", .cookie = both}).outcome.reason, Reason::kNxDomain);
  both.back() ^= std::byte{1};
  EXPECT_TRUE(
      pool_.ask({.name = "three.pool.test", .cookie = both}).message->header().has(Header::kTc));
}

TEST_F(SignedAnswerTest, a_key_that_fails_while_answering_is_a_server_failure) {
  auto keys = keys_for({"pool.test"});
  SignedPool pool(zones(), keys);
  for (const auto& key : keys.begin()->second->keys) {
    const_cast<HashSigner*>(dynamic_cast<const HashSigner*>(key.signer.get()))->broken = true;
  }
  const Got got = pool.ask({.name = "no.pool.test"});
  EXPECT_EQ(got.outcome.reason, Reason::kSignatureFailed);
  EXPECT_EQ(got.message->rcode(), Rcode::kServFail);
  EXPECT_EQ(check_signatures(pool.ask({.name = "us.pool.test"}), kDataKey), "");
}

TEST_F(SignedAnswerTest, few_variants_are_draws_and_enough_are_all_subsets) {
  const auto zones = dns::testing::compile(
      {{"pool.test", R"({"max_hosts": 4, "data": {"few": {"a": [)" + many("10.1.0.", 6) +
                         R"(]}, "many": {"a": [)" + many("10.2.0.", 30) + R"(]}}})"}});
  SigningPlan plan(zones, keys_for({"pool.test"}), {});
  Prng prng(1);
  for (const SigningTask& task : plan.tasks()) {
    const auto name = format(zones->name_of(zones->nodes()[task.node]));
    if (task.ref >= zones->sets().size() || name == "pool.test.") continue;
    const bool few = name == "few.pool.test.";
    EXPECT_EQ(plan.variants_of(task), few ? 15U : 64U);
    const auto four = plan.sign(task, 4, kNow, prng);
    EXPECT_TRUE(four->is_drawn());
    EXPECT_EQ(four->count, 4U);
    const auto most = plan.sign(task, 1000, kNow, prng);
    EXPECT_EQ(most->is_drawn(), !few);
    EXPECT_EQ(most->count, plan.variants_of(task));
    EXPECT_EQ(four->content, most->content) << "one may take the other's place";
    // A signature of 64 octets, and four numbers of two where they were drawn.
    EXPECT_EQ(most->block.octets().size(), most->entries + most->count * (few ? 64U : 72U));
  }
}

// Sums of squares over expectations, of how often each address stands in an answer, against an
// unsigned draw of the same number of answers.
TEST_F(SignedAnswerTest, variants_over_redraws_have_the_frequencies_of_unsigned_draws) {
  constexpr int kRedraws = 60;
  constexpr int kAsked = 640;
  std::map<std::string, double> with;
  std::map<std::string, double> without;
  for (int redraw = 0; redraw < kRedraws; ++redraw) {
    pool_.signed_zones =
        dns::testing::sign_all(pool_.plan, 100 + static_cast<std::uint64_t>(redraw));
    for (int i = 0; i < kAsked; ++i) {
      const Got got = ask("europe.pool.test");
      const auto answers = got.answers();
      ASSERT_EQ(answers.size(), 5U);
      for (int k = 0; k < 4; ++k) ++with[answers[static_cast<std::size_t>(k)]];
      for (const std::string& answer :
           pool_.ask_bytes(query_bytes({.name = "europe.pool.test"})).answers()) {
        ++without[answer];
      }
    }
  }
  // A variant is drawn once and handed out ten times on average, which is the variance that counts.
  double chi2 = 0;
  for (const auto& [answer, count] : without) {
    const double difference = with[answer] - count;
    chi2 += difference * difference / count;
  }
  const double inflation = 1 + static_cast<double>(kAsked) / 64;
  ASSERT_EQ(without.size(), 40U);
  // 39 degrees of freedom: above 80 once in ten thousand.
  EXPECT_LT(chi2 / (inflation + 1), 80) << chi2;
}

TEST_F(SignedAnswerTest, sets_with_few_subsets_are_drawn_as_without_signatures) {
  // 15 subsets of 4 of 6.
  std::map<std::string, double> with;
  std::map<std::string, double> without;
  const int kAsked = 30'000;
  for (int i = 0; i < kAsked; ++i) {
    auto answers = ask("us.pool.test").answers();
    ASSERT_EQ(answers.size(), 5U);
    ++with[answers[0]];
    ++without[pool_.ask_bytes(query_bytes({.name = "us.pool.test"})).answers()[0]];
  }
  for (const auto& [answer, count] : without) {
    EXPECT_NEAR(with[answer], count, 5 * std::sqrt(2 * count)) << answer;
  }
  EXPECT_EQ(with.size(), 6U);
}

TEST_F(SignedAnswerTest, tells_which_records_were_handed_out) {
  for (const char* name : {"us.pool.test", "europe.pool.test"}) {
    for (int i = 0; i < 20; ++i) {
      const Got got = ask(name);
      const auto& set = pool_.zones->sets()[got.outcome.set];
      std::set<std::string> told;
      for (const std::uint32_t record : pool_.worker.handed.list()) {
        const Bytes data = pool_.zones->record(set, record).last(4);
        told.insert(format(IpAddress::from_bytes(data)));
      }
      std::set<std::string> given;
      for (const std::string& answer : got.answers()) {
        if (answer.find(" A 10.") != std::string::npos) {
          given.insert(answer.substr(answer.rfind(' ') + 1));
        }
      }
      EXPECT_EQ(told, given);
    }
  }
}

// RFC 8914 4.15. An unsigned answer would be bogus wherever the parent has a DS.
TEST(SignedAnswer, nothing_is_given_of_a_zone_that_is_to_be_signed_and_is_not) {
  const auto zones = dns::testing::compile(
      {{"pool.test", R"({"data": {"": {"ns": ["ns.pool.test."], "a": [["10.0.0.1"]]},
                                  "cut": {"ns": ["ns.example."]}}})"},
       {"sub.pool.test", R"({"data": {"": {"a": [["10.0.0.2"]]}}})"},
       {"plain.test", R"({"data": {"": {"a": [["10.9.0.1"]]}, "to": {"cname": "pool.test."}}})"}});
  dnssec::KeysByZone keys = keys_for({"sub.pool.test"});
  keys[std::string("\4pool\4test\0", 11)] = nullptr;
  SignedPool pool(zones, keys);
  ASSERT_TRUE(pool.plan.withholds_anything());
  const auto refused = [&](const char* name, RrType type, bool dnssec_ok) {
    const Got got = pool.ask_bytes(
        query_bytes({.name = name, .type = type, .edns = true, .dnssec_ok = dnssec_ok}));
    EXPECT_EQ(got.outcome.reason, Reason::kNotSigned) << name << format(type);
    EXPECT_EQ(got.message->rcode(), Rcode::kServFail);
    EXPECT_TRUE(got.answers().empty() && got.authority().empty());
    EXPECT_NE(to_hex(got.bytes).find("000f0002000e"), std::string::npos) << "extended error 14";
  };
  for (const bool dnssec_ok : {false, true}) {
    refused("pool.test", RrType::kA, dnssec_ok);
    refused("pool.test", RrType::kDnskey, dnssec_ok);
    refused("pool.test", RrType::kAny, dnssec_ok);
    refused("no.pool.test", RrType::kA, dnssec_ok);
    refused("x.cut.pool.test", RrType::kA, dnssec_ok);
    // The parent's word about its child.
    refused("sub.pool.test", RrType::kDs, dnssec_ok);
  }
  EXPECT_EQ(check_signatures(pool.ask({.name = "sub.pool.test"}), kDataKey), "");
  EXPECT_EQ(pool.ask({.name = "plain.test"}).outcome.reason, Reason::kAnswered);
  const Got led = pool.ask({.name = "to.plain.test"});
  EXPECT_EQ(led.outcome.reason, Reason::kAnswered);
  EXPECT_THAT(led.answers(), SizeIs(1));
}

// A zone of which a part could not be signed.
TEST(SignedAnswer, nothing_is_given_of_a_zone_that_is_signed_in_part) {
  SigningPlan plan(zones(), keys_for({"pool.test"}), {});
  const std::vector<std::shared_ptr<const SignedSet>> none(plan.tasks().size());
  const auto made = plan.assemble(none);
  EXPECT_TRUE(made->withholds(0) != made->withholds(1));
}

}  // namespace
}  // namespace timepool::dns
