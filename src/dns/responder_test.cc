#include "dns/responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/hex.h"
#include "dns/compiled/explain.h"
#include "dns/cookie.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::ask;
using dns::testing::Ask;
using dns::testing::ask_bytes;
using dns::testing::Got;
using dns::testing::query_bytes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using wire::dns::Header;
using wire::dns::Rcode;
using wire::dns::RrClass;
using wire::dns::RrType;

const CompiledZones& pool() {
  static const auto zones =
      dns::testing::compile({{"pool.test", R"({"serial": 9, "ttl": 60, "max_hosts": 2,
         "targeting": "@ continent country asn ip", "data": {
         "": {"ns": ["ns1.example.", "ns2.example."], "a": [["10.0.0.1", 10]],
              "txt": "time", "mx": [{"mx": ".", "preference": 0}]},
         "us": {"a": [["10.0.1.1", 10], ["10.0.1.2", 10], ["10.0.1.3", 10]]},
         "europe": {"a": [["10.0.2.1", 1]]},
         "de": {"a": [["10.0.3.1", 1]], "aaaa": [["2001:db8::3", 1]]},
         "uk": {"a": [["10.0.9.1", 1]]},
         "as64500": {"a": [["10.0.4.1", 1]]},
         "[198.18.7.0]": {"a": [["10.0.5.1", 1]]},
         "[198.18.8.9]": {"a": [["10.0.6.1", 1]]},
         "[2001:db8:1::]": {"a": [["10.0.7.1", 1]]},
         "2.us": {"aaaa": [["2001:db8::2", 1]]},
         "x.y.z": {"a": [["10.0.8.1", 1]], "ttl": 7},
         "empty": {"a": []},
         "none": {"a": [["10.0.8.2", 1]], "max_hosts": 0},
         "al": {"alias": "us"}, "root-al": {"alias": ""},
         "www": {"cname": "x.y.z"}, "out": {"cname": "elsewhere.example."},
         "www.us": {"cname": "lost"}, "loop": {"cname": "loop"},
         "_ntp._udp": {"srv": [{"target": "x.y.z", "port": 123, "priority": 1, "srv_weight": 2}]}
         }})"},
                             {"sub.pool.test", R"({"data": {"": {"a": [["10.1.0.1"]]}}})"}});
  return *zones;
}

std::string wire_of(const Got& got) {
  return to_hex(got.bytes);
}

TEST(Responder, answers_by_the_most_specific_level_that_has_records) {
  const auto from = [](const char* address) {
    const Got got = ask(pool(), {.name = "pool.test"}, address);
    EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
    return got.answers().empty() ? "" : got.answers()[0];
  };
  EXPECT_EQ(from("100.64.0.1"), "pool.test. 60 IN A 10.0.0.1");
  EXPECT_THAT(from("198.19.0.1"), StartsWith("pool.test. 60 IN A 10.0.1."));
  EXPECT_EQ(from("198.18.0.1"), "pool.test. 60 IN A 10.0.3.1");
  EXPECT_EQ(from("198.51.100.1"), "pool.test. 60 IN A 10.0.2.1");
  EXPECT_EQ(from("203.0.113.1"), "pool.test. 60 IN A 10.0.9.1") << "gb is also uk";
  EXPECT_EQ(from("198.18.5.1"), "pool.test. 60 IN A 10.0.4.1");
  EXPECT_EQ(from("198.18.7.200"), "pool.test. 60 IN A 10.0.5.1");
  EXPECT_EQ(from("198.18.8.9"), "pool.test. 60 IN A 10.0.6.1");
  EXPECT_EQ(from("198.18.8.10"), "pool.test. 60 IN A 10.0.3.1");
  EXPECT_EQ(from("2001:db8:1::5"), "pool.test. 60 IN A 10.0.7.1");
  EXPECT_EQ(from("192.0.2.1"), "pool.test. 60 IN A 10.0.0.1") << "asia has no label";
}

TEST(Responder, a_level_without_the_type_is_passed_over) {
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kAaaa}, "198.18.0.1").answers(),
              ElementsAre("pool.test. 60 IN AAAA 2001:db8::3"));
  const Got got = ask(pool(), {.name = "pool.test", .type = RrType::kAaaa}, "198.19.0.1");
  EXPECT_EQ(got.outcome.reason, Reason::kNoData);
  EXPECT_THAT(got.answers(), IsEmpty());
  EXPECT_THAT(got.authority(),
              ElementsAre("pool.test. 600 IN SOA ns1.example. hostmaster.pool.test. 9 5400 5400 "
                          "1209600 3600"));
}

TEST(Responder, RFC2308_5_what_is_not_there_lives_as_long_as_the_zone_says) {
  const auto zones = testing::compile({{"pool.test", R"({"ttl": 150, "negative_ttl": 60,
                         "data": {"": {"ns": ["ns1.example."]}, "m": {"txt": "x"}}})"}});
  for (const char* name : {"alice.m.pool.test", "m.pool.test"}) {
    const Got got = ask(*zones, {.name = name});
    EXPECT_THAT(got.authority(), ElementsAre(StartsWith("pool.test. 60 IN SOA"))) << name;
  }
  EXPECT_THAT(ask(*zones, {.name = "pool.test", .type = RrType::kSoa}).answers(),
              ElementsAre(StartsWith("pool.test. 60 IN SOA")));
}

TEST(Responder, takes_max_hosts_of_those_there_are) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const Got got = ask(pool(), {.name = "us.pool.test"}, "100.64.0.1", false, seed);
    const auto answers = got.answers();
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_NE(answers[0], answers[1]);
    seen.insert(answers.begin(), answers.end());
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Responder, keeps_case_id_and_recursion_desired) {
  const Got got = ask(pool(), {.name = "PoOl.TeSt"});
  EXPECT_EQ(wire_of(got).substr(0, 24), "123485000001000100000000");
  EXPECT_THAT(got.answers(), ElementsAre("PoOl.TeSt. 60 IN A 10.0.0.1"));
  const Got other = ask(pool(), {.name = "pool.test", .flags = 0});
  EXPECT_EQ(wire_of(other).substr(4, 4), "8400");
}

TEST(Responder, RFC4035_3_copies_CD_and_RD_and_no_other_flag) {
  constexpr std::uint16_t kOpcode = 0x7800;
  constexpr std::uint16_t kFlags = 0xffff & ~(Header::kQr | kOpcode);
  constexpr std::uint16_t kCopied = Header::kRd | Header::kCd;
  for (std::uint32_t flags = 0; flags <= kFlags; flags += 0x10) {
    if ((flags & ~std::uint32_t{kFlags}) != 0) continue;
    const Got got = ask(pool(), {.name = "pool.test", .flags = static_cast<std::uint16_t>(flags)});
    ASSERT_TRUE(got.message) << flags;
    EXPECT_EQ(got.message->header().flags, Header::kQr | Header::kAa | (flags & kCopied));
  }
}

TEST(Responder, tells_nxdomain_from_empty_names) {
  const Got nx = ask(pool(), {.name = "nope.pool.test"});
  EXPECT_EQ(nx.outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(nx.message->rcode(), Rcode::kNxDomain);
  EXPECT_TRUE(nx.message->header().has(Header::kAa));
  EXPECT_THAT(nx.authority(), ElementsAre(StartsWith("pool.test. 600 IN SOA")));
  for (const char* name : {"y.z.pool.test", "z.pool.test", "empty.pool.test", "none.pool.test",
                           "_udp.pool.test", "2.pool.test"}) {
    const Got ent = ask(pool(), {.name = name});
    EXPECT_EQ(ent.outcome.reason, Reason::kNoData) << name;
    EXPECT_EQ(ent.message->rcode(), Rcode::kNoError);
    EXPECT_THAT(ent.authority(), ElementsAre(StartsWith("pool.test. 600 IN SOA")));
  }
  EXPECT_EQ(ask(pool(), {.name = "[198.18.8.9].pool.test"}).outcome.reason, Reason::kNxDomain);
}

TEST(Responder, a_name_with_only_targeted_labels_exists_for_all) {
  const Ask question{.name = "2.pool.test", .type = RrType::kAaaa};
  EXPECT_THAT(ask(pool(), question, "198.19.0.1").answers(),
              ElementsAre("2.pool.test. 60 IN AAAA 2001:db8::2"));
  EXPECT_EQ(ask(pool(), question, "198.18.0.1").outcome.reason, Reason::kNoData);
}

TEST(Responder, refuses_what_is_not_its_zone) {
  for (const char* name : {"example.com", "test", ".", "xpool.test"}) {
    const Got got = ask(pool(), {.name = name});
    EXPECT_EQ(got.outcome.reason, Reason::kRefusedZone) << name;
    EXPECT_EQ(got.message->rcode(), Rcode::kRefused);
    EXPECT_FALSE(got.message->header().has(Header::kAa));
  }
  EXPECT_EQ(ask(pool(), {.name = "pool.test", .klass = RrClass::kHs}).outcome.reason,
            Reason::kRefusedClass);
  EXPECT_EQ(ask(pool(), {.name = "pool.test", .type = RrType::kAxfr}).outcome.reason,
            Reason::kRefusedTransfer);
  EXPECT_EQ(ask(pool(), {.name = "pool.test", .type = static_cast<RrType>(253)}).outcome.reason,
            Reason::kNotImpType);
}

TEST(Responder, RFC1035_6_2_of_any_class_it_answers_for_its_own_and_never_with_authority) {
  const auto any = [](const char* name, RrType type) {
    return ask(pool(), {.name = name, .type = type, .klass = RrClass::kAny});
  };
  const Got got = any("x.y.z.pool.test", RrType::kA);
  EXPECT_THAT(got.answers(), ElementsAre("x.y.z.pool.test. 7 IN A 10.0.8.1"));
  EXPECT_EQ(got.outcome.reason, Reason::kAnswered);
  EXPECT_FALSE(got.message->header().has(Header::kAa));
  EXPECT_EQ(got.message->questions()[0].klass, RrClass::kAny);
  const Got none = any("nope.pool.test", RrType::kA);
  EXPECT_EQ(none.message->rcode(), Rcode::kNxDomain);
  EXPECT_FALSE(none.message->header().has(Header::kAa));
  EXPECT_EQ(any("example.com", RrType::kA).outcome.reason, Reason::kRefusedZone);
  EXPECT_EQ(any("pool.test", RrType::kAxfr).outcome.reason, Reason::kRefusedClass);
  EXPECT_EQ(ask(pool(), {.name = "pool.test", .klass = RrClass::kNone}).outcome.reason,
            Reason::kRefusedClass);
}

TEST(Responder, says_by_extended_errors_why_it_refuses) {
  const auto code = [](Ask question) {
    question.edns = true;
    const Got got = ask(pool(), question);
    const auto& error = got.message->edns()->extended_error;
    return error ? static_cast<int>(error->code) : -1;
  };
  EXPECT_EQ(code({.name = "example.com"}), 20) << "not authoritative";
  EXPECT_EQ(code({.name = "pool.test", .klass = RrClass::kHs}), 18) << "prohibited";
  EXPECT_EQ(code({.name = "pool.test", .type = static_cast<RrType>(253)}), 21) << "not supported";
  EXPECT_EQ(code({.name = "pool.test", .type = RrType::kNxname}), 30) << "RFC 9824 3.5";
  EXPECT_EQ(code({.name = "pool.test"}), -1);
  EXPECT_EQ(code({.name = "nope.pool.test"}), -1);
  EXPECT_FALSE(ask(pool(), {.name = "example.com"}).message->edns()) << "not without EDNS";
}

TEST(Responder, the_zone_below_has_its_names_for_itself) {
  EXPECT_THAT(ask(pool(), {.name = "sub.pool.test"}).answers(),
              ElementsAre("sub.pool.test. 120 IN A 10.1.0.1"));
  EXPECT_THAT(ask(pool(), {.name = "a.sub.pool.test"}).authority(),
              ElementsAre(StartsWith("sub.pool.test. 1200 IN SOA")));
}

TEST(Responder, answers_every_type_of_record) {
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kNs}).answers(),
              UnorderedElementsAre("pool.test. 86400 IN NS ns1.example.",
                                   "pool.test. 86400 IN NS ns2.example."));
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kTxt}).answers(),
              ElementsAre("pool.test. 60 IN TXT \"time\""));
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kMx}).answers(),
              ElementsAre("pool.test. 60 IN MX 0 ."));
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kSoa}).answers(),
              ElementsAre(StartsWith("pool.test. 600 IN SOA ns1.example.")));
  EXPECT_THAT(ask(pool(), {.name = "_ntp._udp.pool.test", .type = RrType::kSrv}).answers(),
              ElementsAre("_ntp._udp.pool.test. 60 IN SRV 1 2 123 x.y.z.pool.test."));
  EXPECT_THAT(ask(pool(), {.name = "x.y.z.pool.test"}).answers(),
              ElementsAre("x.y.z.pool.test. 7 IN A 10.0.8.1"));
}

TEST(Responder, follows_aliases_with_all_levels) {
  EXPECT_EQ(ask(pool(), {.name = "al.pool.test"}).answers().size(), 2U);
  EXPECT_THAT(ask(pool(), {.name = "root-al.pool.test"}, "198.18.0.1").answers(),
              ElementsAre("root-al.pool.test. 60 IN A 10.0.3.1"));
  EXPECT_EQ(ask(pool(), {.name = "root-al.pool.test", .type = RrType::kNs}).outcome.reason,
            Reason::kNoData)
      << "not for name servers";
}

TEST(Responder, follows_a_cname_within_its_zones) {
  EXPECT_THAT(ask(pool(), {.name = "wWw.pool.test"}).answers(),
              ElementsAre("wWw.pool.test. 60 IN CNAME x.y.z.pool.test.",
                          "x.y.z.pool.test. 7 IN A 10.0.8.1"));
  EXPECT_THAT(ask(pool(), {.name = "www.pool.test", .type = RrType::kCname}).answers(),
              ElementsAre("www.pool.test. 60 IN CNAME x.y.z.pool.test."));
  EXPECT_THAT(ask(pool(), {.name = "www.pool.test", .type = RrType::kAny}).answers(),
              ElementsAre("www.pool.test. 60 IN CNAME x.y.z.pool.test."));
  const Got nodata = ask(pool(), {.name = "www.pool.test", .type = RrType::kTxt});
  EXPECT_EQ(nodata.answers().size(), 1U);
  EXPECT_THAT(nodata.authority(), ElementsAre(StartsWith("pool.test. 600 IN SOA")));
  EXPECT_EQ(ask(pool(), {.name = "out.pool.test"}).answers().size(), 1U);
  const Got lost = ask(pool(), {.name = "www.pool.test"}, "198.19.0.1");
  EXPECT_EQ(lost.outcome.reason, Reason::kNxDomain);
  EXPECT_EQ(lost.answers().size(), 1U);
}

TEST(Responder, RFC2181_5_tells_no_record_of_a_circle_of_cnames_twice) {
  EXPECT_THAT(ask(pool(), {.name = "Loop.pool.test"}).answers(),
              ElementsAre("Loop.pool.test. 60 IN CNAME loop.pool.test."));
  const auto zones = dns::testing::compile({{"c.test", R"({"data": {
      "": {"cname": "a"}, "a": {"cname": "b"}, "b": {"cname": "c"}, "c": {"cname": "a"},
      "*.w": {"cname": "x.w"}}})"}});
  EXPECT_EQ(ask(*zones, {.name = "c.test"}).answers().size(), 4U);
  EXPECT_EQ(ask(*zones, {.name = "b.C.test"}).answers().size(), 3U);
  EXPECT_THAT(
      ask(*zones, {.name = "y.w.c.test"}).answers(),
      ElementsAre("y.w.c.test. 120 IN CNAME x.w.c.test.", "x.w.c.test. 120 IN CNAME x.w.c.test."));
}

TEST(Responder, answers_any_with_one_small_record) {
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .type = RrType::kAny}).answers(),
              ElementsAre(StartsWith("pool.test. 60 IN HINFO")));
  EXPECT_EQ(ask(pool(), {.name = "z.pool.test", .type = RrType::kAny}).outcome.reason,
            Reason::kNoData);
}

TEST(Responder, answers_chaos) {
  const auto chaos = [](const char* name) {
    return ask(pool(), {.name = name, .type = RrType::kTxt, .klass = RrClass::kCh});
  };
  EXPECT_THAT(chaos("Version.Bind").answers(), ElementsAre("Version.Bind. 0 CH TXT \"timepool\""));
  EXPECT_THAT(chaos("id.server").answers(), ElementsAre("id.server. 0 CH TXT \"ns1\""));
  EXPECT_EQ(chaos("pool.test").outcome.reason, Reason::kRefusedClass);
}

TEST(Responder, subnet_scope_is_the_widest_network_of_equal_answers) {
  const auto scope = [](const char* name, const char* subnet) {
    return ask(pool(), {.name = name, .subnet = subnet}).scope();
  };
  EXPECT_EQ(scope("pool.test", "198.18.1.0/24"), 22) << "up to AS 64500's /24 in 198.18.4.0/22";
  EXPECT_EQ(scope("pool.test", "198.18.128.0/24"), 17);
  EXPECT_EQ(scope("pool.test", "198.19.3.0/24"), 16);
  EXPECT_EQ(scope("pool.test", "198.18.8.9/32"), 32);
  EXPECT_EQ(scope("pool.test", "198.18.7.0/24"), 24);
  EXPECT_EQ(scope("pool.test", "2001:db8:1:7::/64"), 48);
  EXPECT_EQ(scope("us.pool.test", "198.19.3.0/24"), 0) << "the same for all";
  EXPECT_EQ(scope("x.y.z.pool.test", "198.18.8.9/32"), 0);
  EXPECT_EQ(ask(pool(), {.name = "pool.test"}).scope(), -1);
}

TEST(Responder, subnet_counts_before_the_source) {
  const Ask question{.name = "pool.test", .subnet = "198.18.0.0/24"};
  EXPECT_THAT(ask(pool(), question, "198.19.0.1").answers(),
              ElementsAre("pool.test. 60 IN A 10.0.3.1"));
  // Nothing is known of 10/8: the resolver's own place is taken.
  EXPECT_THAT(ask(pool(), {.name = "pool.test", .subnet = "10.1.2.0/24"}, "198.18.0.1").answers(),
              ElementsAre("pool.test. 60 IN A 10.0.3.1"));
  // Of 192.0.2.0/25 it is known that it is in Japan, which has no servers: the resolver's do not
  // do.
  const Got other = ask(pool(), {.name = "pool.test", .subnet = "192.0.2.0/26"}, "198.18.0.1");
  EXPECT_THAT(other.answers(), ElementsAre("pool.test. 60 IN A 10.0.0.1"));
  EXPECT_EQ(other.scope(), 25);
  // RFC 7871 7.1.2: /0 says that the subnet is not to be used.
  const Got none = ask(pool(), {.name = "pool.test", .subnet = "0.0.0.0/0"}, "198.18.0.1");
  EXPECT_EQ(none.scope(), 0);
  EXPECT_THAT(none.answers(), ElementsAre("pool.test. 60 IN A 10.0.3.1"));
}

TEST(Responder, echoes_the_subnet_as_it_came) {
  const Got got = ask(pool(), {.name = "pool.test", .subnet = "198.19.128.0/17"});
  ASSERT_TRUE(got.message->edns()->client_subnet);
  EXPECT_EQ(got.message->edns()->client_subnet->source, 17);
  EXPECT_EQ(format(got.message->edns()->client_subnet->address), "198.19.128.0");
}

TEST(Responder, speaks_edns) {
  const Got got = ask(pool(), {.name = "pool.test", .dnssec_ok = true, .nsid = true});
  ASSERT_TRUE(got.message->edns());
  EXPECT_EQ(got.message->edns()->header.udp_size, 1232);
  EXPECT_TRUE(got.message->edns()->header.has(wire::dns::EdnsHeader::kDo));
  ASSERT_TRUE(got.message->edns()->nsid);
  EXPECT_EQ(to_hex(*got.message->edns()->nsid), "6e7331");
  EXPECT_FALSE(ask(pool(), {.name = "pool.test"}).message->edns());
  const Got bad = ask(pool(), {.name = "pool.test", .edns = true, .edns_version = 1});
  EXPECT_EQ(bad.outcome.reason, Reason::kBadVersion);
  EXPECT_EQ(bad.message->rcode(), Rcode::kBadVers);
  EXPECT_EQ(bad.message->edns()->header.version, 0);
  EXPECT_THAT(bad.answers(), IsEmpty());
}

TEST(Responder, says_keepalive_by_tcp_only) {
  const Ask question{.name = "pool.test", .keepalive = true};
  const Got tcp = ask(pool(), question, "100.64.0.1", true);
  ASSERT_TRUE(tcp.message->edns()->keepalive);
  EXPECT_EQ(to_hex(*tcp.message->edns()->keepalive), "0064");
  EXPECT_FALSE(ask(pool(), question).message->edns()->keepalive);
}

TEST(Cookie, has_the_published_vectors) {
  // RFC 9018 appendix A.1 and A.2 (renewed).
  const auto secret = siphash_key(from_hex("e5e973e5a6b2a43f48e7dc849e37bfcf").value());
  const auto client = from_hex("2464c4abcf10c957").value();
  const IpAddress address = parse_ip("198.51.100.100").value();
  EXPECT_EQ(to_hex(make_server_cookie(secret, client, address, 1559731985)),
            "010000005cf79f111f8130c3eee29480");
  EXPECT_EQ(to_hex(make_server_cookie(secret, client, address, 1559734385)),
            "010000005cf7a871d4a564a1442aca77");
}

TEST(Cookie, is_checked_by_age_address_and_hash) {
  const SiphashKey secret{1, 2};
  const auto client = from_hex("2464c4abcf10c957").value();
  const IpAddress address = parse_ip("2001:db8::1").value();
  const auto cookie = make_server_cookie(secret, client, address, 1000);
  const auto check = [&](const SiphashKey& key, const IpAddress& from, std::uint32_t now) {
    return check_server_cookie(key, client, cookie, from, now);
  };
  EXPECT_EQ(check(secret, address, 1000), CookieState::kFresh);
  EXPECT_EQ(check(secret, address, 1000 + 1801), CookieState::kOld);
  EXPECT_EQ(check(secret, address, 1000 + 3601), CookieState::kInvalid);
  EXPECT_EQ(check(secret, address, 1000 - 301), CookieState::kInvalid);
  EXPECT_EQ(check({1, 3}, address, 1000), CookieState::kInvalid);
  EXPECT_EQ(check(secret, parse_ip("2001:db8::2").value(), 1000), CookieState::kInvalid);
  EXPECT_EQ(check_server_cookie(secret, client, client, address, 1000), CookieState::kInvalid);
}

TEST(Responder, gives_a_server_cookie_and_takes_it_back) {
  const auto client = from_hex("2464c4abcf10c957").value();
  const Got first = ask(pool(), {.name = "pool.test", .cookie = client});
  ASSERT_TRUE(first.message->edns()->cookie);
  const auto& cookie = *first.message->edns()->cookie;
  EXPECT_EQ(to_hex(cookie.client), to_hex(client));
  ASSERT_EQ(cookie.server.size(), 16U);
  std::vector<std::byte> both = client;
  both.insert(both.end(), cookie.server.begin(), cookie.server.end());
  const Got second = ask(pool(), {.name = "pool.test", .cookie = both});
  EXPECT_EQ(to_hex(second.message->edns()->cookie->server), to_hex(cookie.server));
  const Got elsewhere = ask(pool(), {.name = "pool.test", .cookie = both}, "100.64.0.2");
  EXPECT_NE(to_hex(elsewhere.message->edns()->cookie->server), to_hex(cookie.server));
}

TEST(Responder, answers_a_cookie_without_a_question) {
  auto query = query_bytes({.name = ".", .cookie = from_hex("2464c4abcf10c957").value()});
  query.erase(query.begin() + 12, query.begin() + 17);
  query[5] = std::byte{0};
  const Got got = ask_bytes(pool(), query, "100.64.0.1");
  EXPECT_EQ(got.outcome.reason, Reason::kCookieOnly);
  ASSERT_TRUE(got.message);
  EXPECT_TRUE(got.message->edns()->cookie);
}

TEST(Responder, truncates_by_udp_and_not_by_tcp) {
  std::string records;
  for (int i = 0; i < 100; ++i) {
    records += (i > 0 ? "," : "") + std::string("[\"10.2.0.") + std::to_string(i) + "\", 1]";
  }
  const auto zones = dns::testing::compile(
      {{"big.test", R"({"max_hosts": 100, "data": {"": {"a": [)" + records + "]}}}"}});
  const Got plain = ask(*zones, {.name = "big.test"});
  EXPECT_EQ(plain.outcome.reason, Reason::kTruncated);
  EXPECT_TRUE(plain.message->header().has(Header::kTc));
  EXPECT_THAT(plain.answers(), IsEmpty());
  EXPECT_LE(plain.bytes.size(), 512U);
  EXPECT_TRUE(ask(*zones, {.name = "big.test", .udp_size = 4096, .nsid = true})
                  .message->header()
                  .has(Header::kTc))
      << "1232 is the most";
  EXPECT_EQ(ask(*zones, {.name = "big.test"}, "100.64.0.1", true).answers().size(), 100U);
}

TEST(Responder, drops_or_refuses_what_is_malformed) {
  const auto reason = [](std::vector<std::byte> bytes) {
    return ask_bytes(pool(), std::move(bytes), "100.64.0.1").outcome.reason;
  };
  EXPECT_EQ(reason({}), Reason::kDroppedShort);
  EXPECT_EQ(reason(std::vector<std::byte>(11)), Reason::kDroppedShort);
  EXPECT_EQ(reason(std::vector<std::byte>(65536)), Reason::kDroppedLong);
  auto response = query_bytes({.name = "pool.test"});
  response[2] = std::byte{0x81};
  EXPECT_EQ(reason(response), Reason::kDroppedResponse);
  auto update = query_bytes({.name = "pool.test"});
  update[2] = std::byte{0x29};
  const Got got = ask_bytes(pool(), update, "100.64.0.1");
  EXPECT_EQ(got.outcome.reason, Reason::kNotImpOpcode);
  EXPECT_EQ(got.message->rcode(), Rcode::kNotImp);
  EXPECT_EQ(wire_of(got).substr(4, 4), "a804") << "RD, which QUERY has, is not copied";
  auto cut = query_bytes({.name = "pool.test"});
  cut.pop_back();
  EXPECT_EQ(reason(cut), Reason::kFormErr);
  auto extra = query_bytes({.name = "pool.test"});
  extra.push_back(std::byte{0});
  EXPECT_EQ(reason(extra), Reason::kFormErr);
  EXPECT_EQ(reason(query_bytes({.name = "pool.test", .cookie = std::vector<std::byte>(5)})),
            Reason::kFormErr);
}

TEST(Explain, says_where_an_address_is_sent) {
  const auto name = wire::dns::DnsName::from_text("pool.test").value();
  const auto out = explain(pool(), name, RrType::kA, parse_ip("198.19.1.1").value());
  EXPECT_TRUE(out.in_zone);
  EXPECT_EQ(out.zone, "pool.test.");
  EXPECT_EQ(out.label, "us");
  EXPECT_EQ(out.client.country.text(), "us");
  EXPECT_EQ(out.scope, 16);
  EXPECT_EQ(out.records, 3U);
  EXPECT_EQ(out.taken, 2U);
}

}  // namespace
}  // namespace timepool::dns
