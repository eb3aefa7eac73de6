#include "dns/zone/master_file.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/hex.h"
#include "wire/dns/rdata.h"

namespace timepool::dns {
namespace {

using wire::dns::DnsName;
using wire::dns::RrType;

const std::string kHead =
    "$TTL 1h\n"
    "@ IN SOA ns1 hostmaster ( 2026010101 ; serial\n"
    "   2h 30m 2w 5m )\n"
    "  NS ns1\n"
    "ns1 A 192.0.2.1\n";

Zone load(const std::string& text, const IncludeReader& include = {}) {
  auto zone = load_master(text, "example.net", include);
  if (!zone.ok()) ADD_FAILURE() << format(zone.error(), "example.net.zone");
  return zone.ok() ? std::move(zone).value() : Zone{};
}
std::string error_of(const std::string& text, const IncludeReader& include = {}) {
  const auto zone = load_master(text, "example.net", include);
  return zone.ok() ? "no error" : format(zone.error(), "z");
}
std::string rdata(const Zone& zone, std::string_view label, RrType type, std::size_t index = 0) {
  const Label* found = zone.find(label);
  if (found == nullptr || found->find(type) == nullptr) return "none";
  return to_hex(found->find(type)->records.at(index).rdata);
}
std::string wire(std::string_view name) {
  return to_hex(DnsName::from_text(name).value().wire());
}

TEST(MasterFile, reads_owner_ttl_and_class_in_every_order) {
  const Zone zone = load(kHead +
                         "a 60 IN A 192.0.2.2\n"
                         "b IN 2d A 192.0.2.3\n"
                         "c A 192.0.2.4\n"
                         "\tAAAA 2001:db8::1 ; the same owner\r\n"
                         "D.example.net. a 192.0.2.5");
  EXPECT_TRUE(zone.plain);
  EXPECT_EQ(zone.find("a")->find(RrType::kA)->ttl, 60U);
  EXPECT_EQ(zone.find("b")->find(RrType::kA)->ttl, 172800U);
  EXPECT_EQ(zone.find("c")->find(RrType::kA)->ttl, 3600U);
  EXPECT_EQ(rdata(zone, "c", RrType::kAaaa), "20010db8000000000000000000000001");
  EXPECT_EQ(rdata(zone, "d", RrType::kA), "c0000205");
}

TEST(MasterFile, has_its_own_soa) {
  const Zone zone = load(kHead);
  EXPECT_EQ(zone.serial, 2026010101U);
  EXPECT_EQ(zone.soa_ttl, 3600U);
  EXPECT_EQ(zone.soa_minimum, 300U);
  EXPECT_EQ(to_hex(zone.soa), wire("ns1.example.net.") + wire("hostmaster.example.net.") +
                                  "78c275f5"
                                  "00001c20"
                                  "00000708"
                                  "00127500"
                                  "0000012c");
}

TEST(MasterFile, takes_the_ttl_of_the_record_before_without_a_default) {
  const Zone zone = load("@ 7200 SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ 9 TXT a\n@ MX 1 a\n");
  EXPECT_EQ(zone.find("")->find(RrType::kNs)->ttl, 7200U);
  EXPECT_EQ(zone.find("")->find(RrType::kMx)->ttl, 9U);
}

TEST(MasterFile, changes_the_origin) {
  const Zone zone = load(kHead +
                         "$ORIGIN sub\n@ TXT apex\na CNAME b\n"
                         "$ORIGIN example.net.\n@ MX 5 mx.sub\n$TTL 5\nx TXT y\n");
  EXPECT_EQ(rdata(zone, "sub", RrType::kTxt), "0461706578");
  EXPECT_EQ(rdata(zone, "a.sub", RrType::kCname), wire("b.sub.example.net."));
  EXPECT_EQ(rdata(zone, "", RrType::kMx), "0005" + wire("mx.sub.example.net."));
  EXPECT_EQ(zone.find("x")->find(RrType::kTxt)->ttl, 5U);
}

TEST(MasterFile, decodes_quotes_and_escapes) {
  const Zone zone = load(kHead +
                         "t TXT \"a b;c(\" d\\;e \"\\\"\\065\\\\\" \"\"\n"
                         "a\\.b TXT dot\nc\\091d TXT bracket\n\\065A TXT letters\n"
                         "*.w TXT wild\n");
  EXPECT_EQ(rdata(zone, "t", RrType::kTxt),
            "0661"
            "20623b6328"
            "03643b65"
            "0322415c"
            "00");
  EXPECT_EQ(rdata(zone, "a\\046b", RrType::kTxt), "03646f74");
  EXPECT_EQ(rdata(zone, "c\\091d", RrType::kTxt), "07627261636b6574");
  EXPECT_EQ(rdata(zone, "aa", RrType::kTxt), "076c657474657273");
  EXPECT_EQ(rdata(zone, "*.w", RrType::kTxt), "0477696c64");
}

struct Line {
  const char* text;
  RrType type;
  const char* hex;
};

TEST(MasterFile, reads_every_type) {
  const Line lines[] = {
      {"MX 10 mx.", RrType::kMx, "000a026d7800"},
      {"SRV 1 2 443 t.", RrType::kSrv, "0001000201bb017400"},
      {"PTR p.", RrType::kPtr, "017000"},
      {"HINFO cpu \"an os\"", RrType::kHinfo, "0363707505616e206f73"},
      {"CAA 128 issue \"ca.x; a=b\"", RrType::kCaa, "8005697373756563612e783b20613d62"},
      {"DS 1 ECDSAP256SHA256 1 00112233445566778899 aabbccddeeff00112233", RrType::kDs,
       "00010d0100112233445566778899aabbccddeeff00112233"},
      {"TLSA 3 1 0 abcd", RrType::kTlsa, "030100abcd"},
      {"SSHFP 4 2 abcd", static_cast<RrType>(44), "0402abcd"},
      {"NAPTR 1 2 \"s\" \"x+y\" \"\" r.", static_cast<RrType>(35), "00010002017303782b7900017200"},
      {"URI 1 2 \"https://a/\"", static_cast<RrType>(256), "0001000268747470733a2f2f612f"},
      {"SVCB 0 a.", RrType::kSvcb, "0000016100"},
      {"HTTPS 1 . port=8443 alpn=\"h2,f\\\\\\\\oo\\\\,bar\" no-default-alpn mandatory=port,alpn",
       RrType::kHttps,
       "000100"
       "0000000400010003"
       "0001000c0268320866"
       "5c6f6f2c626172"
       "00020000"
       "0003000220fb"},
      {"HTTPS 1 . ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key667=a\\001", RrType::kHttps,
       "000100"
       "00040008c0000201c0000202"
       "0006001020010db8000000000000000000000001"
       "029b00026101"},
      {"EUI48 00-11-22-33-44-55", static_cast<RrType>(108), "001122334455"},
      {"CSYNC 66 3 A NS AAAA", static_cast<RrType>(62), "000000420003000460000008"},
      {"LP 10 l.", static_cast<RrType>(107), "000a016c00"},
      {"TYPE65280 \\# 4 0A00 0001", static_cast<RrType>(65280), "0a000001"},
      {"A \\# 4 0a000001", RrType::kA, "0a000001"},
      {"TYPE1 \\# 4 0a000001", RrType::kA, "0a000001"},
      {"TYPE731 \\# 0", static_cast<RrType>(731), ""},
      {"SPF \"v=spf1 -all\"", RrType::kSpf, "0b763d73706631202d616c6c"},
      {"RP a. b.", static_cast<RrType>(17),
       "01610001"
       "6200"},
  };
  for (const Line& line : lines) {
    const Zone zone = load(kHead + "x " + line.text + "\n");
    EXPECT_EQ(rdata(zone, "x", line.type), line.hex) << line.text;
  }
}

TEST(MasterFile, says_file_line_and_column_of_what_is_wrong) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"a A 1.2.3\n", "z:6:5: A: '1.2.3' is no IPv4 address"},
      {"a A\n", "z:6:3: A: an address is missing"},
      {"a A 192.0.2.1 x\n", "z:6:15: A: nothing is expected here"},
      {"a MX x y\n", "z:6:6: MX: 'x' is no number from 0 to 65535"},
      {"a (\n TXT \"x\n", "z:7:6: a quote is not closed on its line"},
      {"a ( TXT x\n", "z:6:3: a parenthesis is not closed"},
      {"a TXT x )\n", "z:6:9: a closing parenthesis without an opening one"},
      {"a FOO x\n", "z:6:3: 'FOO' is no type"},
      {"a CH TXT x\n", "z:6:3: the class must be IN"},
      {"a 1x TXT x\n", "z:6:3: is no time in seconds"},
      {"a..b TXT x\n", "z:6:1: 'a..b' is no domain name (empty_label)"},
      {"example.org. TXT x\n", "z:6:14: 'example.org.' is not in the zone example.net."},
      {"$GENERATE 1-2 a A 1\n", "z:6:1: unknown directive '$GENERATE'"},
      {"$TTL\n", "z:6:1: $TTL takes one value"},
      {"@ SOA a b 1 2 3 4 5\n", "z:6:3: a second SOA"},
      {"x SOA a b 1 2 3 4 5\n", "z:6:3: an SOA that is not at the zone's apex example.net."},
      {"@ CNAME x\n", "z:6:3: a CNAME at the zone's apex"},
      {"a CNAME x\na CNAME y\n", "z:7:3: a second CNAME of a.example.net."},
      {"a CNAME x\na TXT y\n", "z:7:3: a.example.net. has a CNAME and other data"},
      {"ns1 CNAME y\n", "z:6:5: ns1.example.net. has a CNAME and other data"},
      {"a DNAME x\n", "z:6:3: DNAME is not served here"},
      {"a ANY x\n", "z:6:3: is no type of data"},
      {"a TYPE731 x\n",
       "z:6:11: TYPE731: TYPE731 has no text form here but \"\\# LENGTH HEX\" (RFC 3597)"},
      {"a TYPE731 \\# 3 abcd\n", "z:6:14: TYPE731: says 3 octets, there are 2"},
      {"a A \\# 3 abcdef\n", "z:6:5: A: is no data of A (rdata_short)"},
      {"a SVCB 1 . mandatory=port\n",
       "z:6:12: SVCB: lacks a parameter that \"mandatory\" names, or \"alpn\""},
      {"a TXT \\25\n", "z:6:7: TXT: has a broken escape"},
      {"$INCLUDE x\n", "z:6:10: $INCLUDE has no files here"},
  };
  for (const auto& it : cases) EXPECT_EQ(error_of(kHead + it.text), it.error);
  EXPECT_EQ(error_of("$TTL 1\n@ NS a\n"), "z:1:1: the zone has no SOA");
  EXPECT_EQ(error_of("@ 5 SOA a b 1 2 3 4 5\n"), "z:1:1: the zone has no NS at its apex");
  EXPECT_EQ(error_of(" NS a\n"), "z:1:2: a record without an owner");
  EXPECT_EQ(error_of("@ NS a\n"), "z:1:3: has no TTL, and there is no $TTL before it");
}

TEST(MasterFile, includes_other_files_with_an_origin_of_their_own) {
  const std::map<std::string, std::string> files{{"a.inc", "@ TXT a\nx TXT b\n$ORIGIN other\n"},
                                                 {"bad.inc", "\n\n  x y z\n"},
                                                 {"loop.inc", "$INCLUDE loop.inc\n"}};
  const IncludeReader reader = [&](std::string_view name) -> Result<std::string, std::string> {
    const auto at = files.find(std::string(name));
    if (at == files.end()) return fail(std::string("no such file"));
    return at->second;
  };
  const Zone zone = load(kHead + "$INCLUDE a.inc sub\n TXT c\n", reader);
  EXPECT_EQ(rdata(zone, "sub", RrType::kTxt), "0161");
  EXPECT_EQ(rdata(zone, "x.sub", RrType::kTxt), "0162");
  // RFC 1035 5.1: what the included file did to origin and owner ends with it.
  EXPECT_EQ(rdata(zone, "ns1", RrType::kTxt), "0163");
  EXPECT_EQ(error_of(kHead + "$INCLUDE bad.inc\n", reader), "bad.inc:3:3: 'x' is no type");
  EXPECT_EQ(error_of(kHead + "$INCLUDE gone\n", reader), "z:6:10: no such file");
  EXPECT_EQ(error_of(kHead + "$INCLUDE loop.inc\n", reader).substr(0, 42),
            "loop.inc:1:10: more than 8 files within ea");
}

TEST(MasterFile, leaves_signatures_out_and_says_so) {
  const Zone zone = load(kHead + "@ RRSIG whatever\n@ NSEC a A\n@ DNSKEY 257 3 13 AAAA\n");
  EXPECT_EQ(zone.find("")->sets.size(), 1U);
  ASSERT_EQ(zone.warnings.size(), 1U);
  EXPECT_EQ(zone.warnings[0], "3 records of signing (the first in line 6) are left out");
}

TEST(MasterFile, takes_a_repeated_record_once_and_the_lowest_ttl_of_a_set) {
  const Zone zone = load(kHead + "a 60 A 192.0.2.9\na 50 A 192.0.2.8\na 40 A 192.0.2.8\n");
  const RecordSet* set = zone.find("a")->find(RrType::kA);
  EXPECT_EQ(set->records.size(), 2U);
  EXPECT_EQ(set->ttl, 50U);
  EXPECT_EQ(zone.warnings.size(), 1U);
}

}  // namespace
}  // namespace timepool::dns
