#include "dns/zone/zone.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace timepool::dns {
namespace {

using wire::dns::RrType;

Zone load(std::string_view json) {
  auto zone = load_zone(json, "pool.test", 77);
  if (!zone.ok()) ADD_FAILURE() << format(zone.error(), "pool.test.json");
  return zone.ok() ? std::move(zone).value() : Zone{};
}
std::string error_of(std::string_view json) {
  const auto zone = load_zone(json, "pool.test", 77);
  return zone.ok() ? "no error" : format(zone.error(), "z");
}
std::string rdata(const Label* label, RrType type, std::size_t index) {
  return to_hex(label->find(type)->records.at(index).rdata);
}
std::string wire(std::string_view name) {
  return to_hex(wire::dns::DnsName::from_text(name).value().wire());
}

TEST(Zone, has_geodns_defaults) {
  const Zone zone = load("{}");
  EXPECT_EQ(zone.serial, 77U);
  EXPECT_EQ(zone.ttl, 120U);
  EXPECT_EQ(zone.max_hosts, 2U);
  EXPECT_EQ(zone.soa_minimum, 3600U);
  EXPECT_EQ(format(zone.contact), "hostmaster.pool.test.");
  EXPECT_EQ(zone.targeting, Targeting());
  EXPECT_TRUE(zone.labels.empty());
}

TEST(Zone, negative_ttl_is_the_minimum_of_the_soa) {
  const Zone zone = load(R"({"negative_ttl": 60})");
  EXPECT_TRUE(zone.warnings.empty());
  EXPECT_EQ(zone.soa_minimum, 60U);
  EXPECT_EQ(to_hex(soa_data(zone)).substr(to_hex(soa_data(zone)).size() - 8), "0000003c");
  EXPECT_EQ(soa_ttl(zone), 60U);
  EXPECT_EQ(soa_ttl(load(R"({"ttl": 150})")), 1500U);
  EXPECT_EQ(error_of(R"({"negative_ttl": -1})"),
            "z:1:18: negative_ttl: -1 is not in 0 to 2147483647");
}

TEST(Zone, takes_numbers_as_texts_and_labels_in_any_case) {
  const Zone zone = load(R"({"serial": "5", "ttl": 600.7, "max_hosts": "4",
    "contact": "support.example.com", "data": {"WWW": {"ttl": "601", "max_hosts": 1,
    "a": [["192.0.2.1", "10"], ["192.0.2.2", 20], ["192.0.2.3"]]}}})");
  EXPECT_EQ(zone.serial, 5U);
  EXPECT_EQ(zone.ttl, 600U);
  EXPECT_EQ(format(zone.contact), "support.example.com.");
  const Label* label = zone.find("www");
  ASSERT_NE(label, nullptr);
  EXPECT_EQ(label->ttl, 601U);
  EXPECT_EQ(label->max_hosts, 1U);
  const RecordSet* set = label->find(RrType::kA);
  ASSERT_NE(set, nullptr);
  ASSERT_EQ(set->records.size(), 3U);
  EXPECT_EQ(set->records[0].weight, 10U);
  EXPECT_EQ(set->records[1].weight, 20U);
  EXPECT_EQ(set->records[2].weight, 0U);
  EXPECT_EQ(rdata(label, RrType::kA, 1), "c0000202");
}

TEST(Zone, reads_every_record_form) {
  const Zone zone = load(R"({"data": {
    "": {"ns": {"ns1.example.net.": null, "ns2.example.net": null},
         "mx": [{"mx": "mx.example.net", "preference": 10, "weight": 3}, {"mx": "."}],
         "spf": [{"spf": "v=spf1 ~all", "weight": 1000}], "txt": "hello"},
    "n": {"ns": ["a.example.", "b.example."]},
    "six": {"aaaa": [["2001:db8::1", 1], {"ip": "2001:db8::2"},
                     {"aaaa": "2001:db8::3", "weight": 2}]},
    "c1": {"cname": "www"}, "c2": {"cname": [["www", 3], {"cname": "x.example.", "weight": "4"}]},
    "_ntp._udp": {"srv": [{"port": 123, "srv_weight": 7, "priority": 1, "target": "t"}]},
    "2": {"ptr": [["bar.example.com."]]}, "t": {"txt": [{"txt": "abc"}, "de"]},
    "empty": {"a": []}, "nothing": {"a": null}, "al": {"alias": "SIX"}}})");
  const Label* apex = zone.find("");
  ASSERT_NE(apex, nullptr);
  EXPECT_EQ(rdata(apex, RrType::kNs, 0), wire("ns1.example.net."));
  EXPECT_EQ(rdata(apex, RrType::kNs, 1), wire("ns2.example.net."));
  EXPECT_EQ(rdata(apex, RrType::kMx, 0), "000a" + wire("mx.example.net."));
  EXPECT_EQ(rdata(apex, RrType::kMx, 1), "000000");
  EXPECT_EQ(rdata(apex, RrType::kSpf, 0), "0b763d73706631207e616c6c");
  EXPECT_EQ(rdata(apex, RrType::kTxt, 0), "0568656c6c6f");
  EXPECT_EQ(rdata(zone.find("n"), RrType::kNs, 1), wire("b.example."));
  EXPECT_EQ(zone.find("six")->find(RrType::kAaaa)->records.size(), 3U);
  EXPECT_EQ(zone.find("six")->find(RrType::kAaaa)->records[2].weight, 2U);
  EXPECT_EQ(rdata(zone.find("c1"), RrType::kCname, 0), wire("www.pool.test."));
  EXPECT_EQ(rdata(zone.find("c2"), RrType::kCname, 1), wire("x.example."));
  EXPECT_EQ(zone.find("c2")->find(RrType::kCname)->records[1].weight, 4U);
  EXPECT_EQ(rdata(zone.find("_ntp._udp"), RrType::kSrv, 0), "00010007007b" + wire("t.pool.test."));
  EXPECT_EQ(rdata(zone.find("2"), RrType::kPtr, 0), wire("bar.example.com."));
  EXPECT_EQ(rdata(zone.find("t"), RrType::kTxt, 1), "026465");
  EXPECT_TRUE(zone.find("empty")->sets.empty());
  EXPECT_TRUE(zone.find("nothing")->sets.empty());
  EXPECT_EQ(zone.find("al")->alias, "six");
  EXPECT_TRUE(zone.warnings.empty());
}

TEST(Zone, cuts_long_texts_into_strings) {
  const Zone zone = load(R"({"data": {"t": {"txt": ")" + std::string(300, 'x') + R"("}}})");
  const auto& data = zone.find("t")->find(RrType::kTxt)->records[0].rdata;
  ASSERT_EQ(data.size(), 302U);
  EXPECT_EQ(data[0], std::byte{255});
  EXPECT_EQ(data[256], std::byte{45});
}

TEST(Zone, reads_targeting_and_warns_of_what_has_no_effect) {
  const Zone zone = load(R"({"targeting": "country  continent @ regiongroup region ip asn",
    "logging": {"stathat": true}, "origin": "x", "hello": 1,
    "data": {"a": {"health": {}, "xyz": [], "alias": "gone"}}})");
  EXPECT_EQ(zone.targeting, (Targeting{true, true, true, true, true, true, true}));
  EXPECT_EQ(zone.warnings.size(), 4U) << testing::PrintToString(zone.warnings);
  EXPECT_EQ(load(R"({"targeting": "@"})").targeting, (Targeting{false, false, false, false, true}));
}

TEST(Zone, passes_over_labels_that_no_name_can_have) {
  const std::string longest(63, 'a');
  const std::string many = longest + '.' + longest + '.' + longest + '.' + longest;
  const Zone zone = load(R"({"data": {")" + longest + R"(": {"a": [["10.0.0.1"]]}, ")" + longest +
                         R"(b": {"a": [["10.0.0.2"]]}, ")" + many + R"(": {}, "c": {}}})");
  ASSERT_EQ(zone.labels.size(), 2U);
  EXPECT_EQ(zone.labels[0].name, longest);
  ASSERT_EQ(zone.warnings.size(), 2U);
  EXPECT_NE(zone.warnings[0].find("nobody can ask"), std::string::npos) << zone.warnings[0];
}

TEST(Zone, reads_types_that_geodns_does_not_know_as_master_files_have_them) {
  const Zone zone = load(R"({"data": {"": {
    "caa": ["0 issue \"ca.example\"", ["128 iodef mailto:a@b.example", 7]],
    "https": [{"https": "1 . alpn=h2 port=443", "weight": 3}],
    "svcb": "0 other", "ds": [["12345 13 2 )" +
                         std::string(64, 'a') + R"("]],
    "tlsa": [{"rdata": "3 1 1 )" +
                         std::string(64, 'b') + R"("}],
    "TYPE731": ["\\# 3 abcdef"]}, "*": {"a": [["192.0.2.1"]]}}})");
  EXPECT_TRUE(zone.warnings.empty());
  const Label* apex = zone.find("");
  EXPECT_EQ(rdata(apex, RrType::kCaa, 0),
            "000569737375656361"
            "2e6578616d706c65");
  EXPECT_EQ(apex->find(RrType::kCaa)->records[1].weight, 7U);
  EXPECT_EQ(rdata(apex, RrType::kHttps, 0),
            "0001"
            "00"
            "0001000302"
            "6832"
            "0003000201bb");
  EXPECT_EQ(rdata(apex, RrType::kSvcb, 0), "0000" + wire("other.pool.test."));
  EXPECT_EQ(rdata(apex, RrType::kDs, 0), "30390d02" + std::string(64, 'a'));
  EXPECT_EQ(rdata(apex, RrType::kTlsa, 0), "030101" + std::string(64, 'b'));
  EXPECT_EQ(rdata(apex, static_cast<RrType>(731), 0), "abcdef");
  EXPECT_NE(zone.find("*"), nullptr);
  EXPECT_EQ(error_of(R"({"data": {"a": {"caa": ["0 issue"]}}})"),
            "z:1:25: data/a/caa/0: word 3: a text is missing");
  EXPECT_EQ(error_of(R"({"data": {"a": {"soa": []}}})"),
            "z:1:24: data/a/soa: is no type that a zone document may hold");
  EXPECT_EQ(
      error_of(R"({"data": {"a": {"caa": ["0 issue x"], "CAA": ["0 issue y"]}}})").substr(0, 7),
      "z:1:46:");
}

TEST(Zone, takes_closest_from_the_document_for_labels_without_their_own) {
  const Zone zone = load(R"({"closest": true, "data": {"a": {}, "b": {"closest": false}}})");
  EXPECT_TRUE(zone.find("a")->closest);
  EXPECT_FALSE(zone.find("b")->closest);
  EXPECT_EQ(error_of(R"({"closest": 1})"), "z:1:13: closest: must be true or false");
}

TEST(Zone, says_line_and_column_of_a_syntax_error) {
  EXPECT_EQ(error_of("{\n  \"ttl\": 60,\n  \"serial\": 1,,\n}").substr(0, 12), "z:3:15: JSON");
  EXPECT_EQ(error_of("").substr(0, 10), "z:1:1: JSO");
  EXPECT_EQ(error_of("{}\n x").substr(0, 11), "z:2:2: JSON");
  EXPECT_EQ(error_of("{\"a\": ").substr(0, 11), "z:1:7: JSON");
  EXPECT_EQ(error_of("[1]"), "z:1:1: must be an object");
}

TEST(Zone, says_line_column_and_path_of_a_wrong_value) {
  EXPECT_EQ(error_of("{\n \"ttl\": \"x\"}"), "z:2:9: ttl: 'x' is no whole number");
  EXPECT_EQ(
      error_of("{\"data\": {\n  \"us\": {\"a\": [[\"192.0.2.1\", 1],\n    [\"192.0.2\", 1]]}}}"),
      "z:3:5: data/us/a/1: '192.0.2' is no IPv4 address");
  EXPECT_EQ(error_of("{\"data\": {\"\": {\"aaaa\": [{\"ip\": \"192.0.2.1\"}]}}}"),
            "z:1:25: data/\"\"/aaaa/0: '192.0.2.1' is no IPv6 address");
  EXPECT_EQ(error_of("{\"data\": {\"a\": {\"a\": [[\"192.0.2.1\", -1]]}}}"),
            "z:1:37: data/a/a/0/1: -1 is not in 0 to 4294967295");
  EXPECT_EQ(error_of(R"({"data": {"a": {"mx": [{"mx": "a", "preference": 70000}]}}})"),
            "z:1:50: data/a/mx/0/preference: 70000 is not in 0 to 65535");
  EXPECT_EQ(error_of(R"({"data": {"a": {"srv": [{"port": 1}]}}})"),
            "z:1:25: data/a/srv/0: has no \"target\"");
  EXPECT_EQ(error_of(R"({"targeting": "@ planet"})"),
            "z:1:15: targeting: unknown targeting option 'planet'");
  EXPECT_EQ(error_of(R"({"data": {"a..b": {}}})"), "z:1:19: data/a..b: is no relative domain name");
  EXPECT_EQ(error_of(R"({"data": {"a.[1.2.3]": {}}})"),
            "z:1:24: data/a.[1.2.3]: has brackets without an address in them");
  EXPECT_EQ(error_of(R"({"data": {"a": {"alias": "b"}, "b": {"alias": "a"}}})"),
            "z:1:16: data/a: alias leads in a circle: a, b, a");
  EXPECT_EQ(error_of(R"({"data": {"a.us": {"alias": "b"}, "b.us": {"alias": "a"}}})"),
            "z:1:19: data/a.us: alias leads in a circle: a.us, b.us, a.us");
  EXPECT_EQ(error_of(R"({"data": {"*": {"ns": ["ns.example."]}}})"),
            "z:1:16: data/*: name servers at a wildcard: RFC 4592 gives them no meaning");
  EXPECT_EQ(error_of(R"({"data": {"a": {}, "A": {}}})"),
            "z:1:10: data: has 'a' twice, in different case");
}

TEST(Zone, refuses_a_name_that_is_no_zone) {
  EXPECT_FALSE(load_zone("{}", "a..b", 1).ok());
  EXPECT_FALSE(load_zone("{}", "", 1).ok());
}

TEST(JsonPlace, takes_the_last_of_two_equal_keys_and_decodes_escapes) {
  const std::string text = R"({"a": 1, "b\u0063": [10, {"x": 2}], "a": 3})";
  const JsonStep a[] = {JsonStep::member("a")};
  EXPECT_EQ(text[offset_of(text, a)], '3');
  const JsonStep x[] = {JsonStep::member("bc"), JsonStep::item(1), JsonStep::member("x")};
  EXPECT_EQ(text[offset_of(text, x)], '2');
  EXPECT_EQ(place_of("ab\ncd", 4), (TextPlace{2, 2}));
}

}  // namespace
}  // namespace timepool::dns
