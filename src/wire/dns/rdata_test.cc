#include "wire/dns/rdata.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"
#include "wire/dns/record_generator.h"
#include "wire/dns/svcb.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::wire::dns {
namespace {

Result<Rdata, Malformed> parse(RrType type, Bytes bytes) {
  ByteReader reader(bytes);
  return parse_rdata(reader, type, bytes.size());
}

std::string written(const Rdata& data, NameForm form = NameForm::kAsIs) {
  std::vector<std::byte> buffer(2000);
  ByteWriter writer(buffer);
  write_rdata(writer, data, form);
  return writer.ok() ? to_hex(writer.written()) : "failed";
}

struct Golden {
  RrType type;
  const char* hex;
  const char* text;
};

// Bytes and text of one record each; the sources are named where there are any.
const Golden kGolden[] = {
    {RrType::kA, "0a000034", "10.0.0.52"},
    {RrType::kAaaa, "20010db8000000000000000000000001", "2001:db8::1"},
    {RrType::kNs,
     "036e73310470"
     "6f6f6c047465737400",
     "ns1.pool.test."},
    {RrType::kCname, "00", "."},
    // RFC 1035 5.3's SOA, expire and minimum as there.
    {RrType::kSoa,
     "0656454e4552410349534903454455000e616374696f6e2e646f6d61696e73034953490345445500"
     "0000001400001c20000002580036ee800000ea60",
     "VENERA.ISI.EDU. action\\.domains.ISI.EDU. 20 7200 600 3600000 60000"},
    {RrType::kPtr,
     "0646"
     "4f4f424152034e455400",
     "FOOBAR.NET."},
    {RrType::kMx, "000a0656454e455241034953490345445500", "10 VENERA.ISI.EDU."},
    {RrType::kMx, "000000", "0 ."},  // RFC 7505
    {RrType::kTxt, "0568656c6c6f0007612062225c7eff", "\"hello\" \"\" \"a b\\\"\\\\~\\255\""},
    {RrType::kSpf,
     "0676"
     "3d73706631",
     "\"v=spf1\""},
    {RrType::kSrv,
     "0000000511"
     "5c036e747305706f6f6c32047465737400",
     "0 5 4444 nts.pool2.test."},
    // RFC 8659 4.2.
    {RrType::kCaa, "0005697373756563612e6578616d706c652e6e6574", "0 issue \"ca.example.net\""},
    {RrType::kCaa, "8003746273556e6b6e6f776e", "128 tbs \"Unknown\""},
    // RFC 4034 5.4.
    {RrType::kDs, "ec4505012bb183af5f22588179a53b0a98631fad1a292118",
     "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118"},
    {RrType::kCds, "0000000000", "0 0 0 00"},        // RFC 8078 4
    {RrType::kCdnskey, "0000030000", "0 3 0 AA=="},  // RFC 8078 4
    {RrType::kDnskey, "0101030d00010203", "257 3 13 AAECAw=="},
    // RFC 4034 3.3, with a shorter signature.
    {RrType::kRrsig,
     "00010503000151803e7c9dd73e5510d70a52"
     "076578616d706c6503636f6d00"
     "a09075",
     "A 5 3 86400 20030322173103 20030220173103 2642 example.com. oJB1"},
    // RFC 4034 4.3.
    {RrType::kNsec,
     "04686f7374076578616d706c6503636f6d00"
     "0006400100000003"
     "041b000000000000000000000000000000000000000000000000000020",
     "host.example.com. A MX RRSIG NSEC TYPE1234"},
    // RFC 9460 appendix D.
    {RrType::kHttps, "000003666f6f076578616d706c6503636f6d00", "0 foo.example.com."},
    {RrType::kSvcb, "000100", "1 ."},
    {RrType::kSvcb,
     "001003666f6f076578616d706c6503636f6d00"
     "000300020035",
     "16 foo.example.com. port=53"},
    {RrType::kSvcb,
     "000103666f6f076578616d706c6503636f6d00"
     "029b000568656c6c6f",
     "1 foo.example.com. key667=\"hello\""},
    {RrType::kSvcb,
     "000103666f6f076578616d706c6503636f6d00"
     "029b000968656c6c6fd2716f6f",
     "1 foo.example.com. key667=\"hello\\210qoo\""},
    {RrType::kSvcb,
     "000103666f6f076578616d706c6503636f6d00"
     "00060020"
     "20010db8000000000000000000000001"
     "20010db8000000000000000000530001",
     "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1"},
    {RrType::kSvcb,
     "001003666f6f076578616d706c65036f726700"
     "0000000400010004"
     "000100090268320568332d3139"
     "00040004c0000201",
     "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {RrType::kSvcb,
     "001003666f6f076578616d706c65036f726700"
     "0001000c08665c6f6f2c626172026832",
     "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""},
    {RrType::kHttps, "00010000020000000500021234", "1 . no-default-alpn ech=EjQ="},
    // RFC 3597 5.
    {static_cast<RrType>(62347), "", "\\# 0"},
    {static_cast<RrType>(731), "abcdef012345", "\\# 6 ABCDEF012345"},
};

TEST(Rdata, golden_bytes_and_text) {
  for (const Golden& golden : kGolden) {
    const auto bytes = from_hex(golden.hex);
    ASSERT_TRUE(bytes.ok()) << golden.text;
    const auto data = parse(golden.type, *bytes);
    ASSERT_TRUE(data.ok()) << golden.text << ": " << name_of(data.error());
    EXPECT_EQ(format_rdata(*data), golden.text);
    EXPECT_EQ(written(*data), golden.hex) << golden.text;
  }
}

TEST(Rdata, refuses_what_the_types_forbid) {
  const struct {
    RrType type;
    const char* hex;
    Malformed reason;
  } cases[] = {
      {RrType::kA, "0a0000", Malformed::kRdataShort},
      {RrType::kA, "0a00000000", Malformed::kRdataLong},
      {RrType::kAaaa, "20010db800000000000000000000", Malformed::kRdataShort},
      {RrType::kNs, "", Malformed::kNameShort},
      {RrType::kNs, "0161", Malformed::kNameShort},
      {RrType::kNs, "016100ff", Malformed::kRdataLong},
      {RrType::kMx, "00", Malformed::kRdataShort},
      {RrType::kSoa, "0000000000", Malformed::kRdataShort},
      {RrType::kTxt, "", Malformed::kRdataShort},
      {RrType::kTxt, "0561", Malformed::kRdataShort},
      {RrType::kSrv, "000000000", Malformed::kRdataShort},
      {RrType::kCaa, "00", Malformed::kRdataShort},
      {RrType::kCaa, "0000", Malformed::kRdataValue},
      {RrType::kCaa, "00052d73737565", Malformed::kRdataValue},
      {RrType::kDnskey, "010103", Malformed::kRdataShort},
      {RrType::kDs, "00000000", Malformed::kRdataShort},
      {RrType::kDs, "00000d02aabb", Malformed::kRdataShort},
      {RrType::kCds,
       "00000801"
       "000102030405060708090a0b0c0d0e0f1011121314",
       Malformed::kRdataLong},
      {RrType::kRrsig, "0001050300015180", Malformed::kRdataShort},
      {RrType::kNsec, "00", Malformed::kTypeBitmap},  // no block
      {RrType::kNsec,
       "00"
       "0000",
       Malformed::kTypeBitmap},  // an empty block
      {RrType::kNsec,
       "00"
       "00024000",
       Malformed::kTypeBitmap},  // a trailing zero
      {RrType::kNsec,
       "00"
       "000140000140",
       Malformed::kTypeBitmap},  // window twice
      {RrType::kNsec,
       "00"
       "0002",
       Malformed::kTypeBitmap},
      {RrType::kSvcb, "0001", Malformed::kNameShort},
      {RrType::kSvcb,
       "000100"
       "0003",
       Malformed::kSvcbValue},
      {RrType::kSvcb,
       "000100"
       "0003000100",
       Malformed::kSvcbValue},  // port of one byte
      {RrType::kSvcb,
       "000100"
       "00030002003500030002"
       "0035",
       Malformed::kSvcbOrder},
      {RrType::kSvcb,
       "000100"
       "0003000200350001000302"
       "6832",
       Malformed::kSvcbOrder},
      {RrType::kSvcb,
       "000100"
       "00000000",
       Malformed::kSvcbValue},  // mandatory: nothing
      {RrType::kSvcb,
       "000100"
       "000000020000",
       Malformed::kSvcbValue},  // mandatory: itself
      {RrType::kSvcb,
       "000100"
       "0000000400030001",
       Malformed::kSvcbValue},
      {RrType::kSvcb,
       "000100"
       "00010000",
       Malformed::kSvcbValue},  // no protocol
      {RrType::kSvcb,
       "000100"
       "0001000100",
       Malformed::kSvcbValue},  // an empty one
      {RrType::kSvcb,
       "000100"
       "0002000100",
       Malformed::kSvcbValue},
      {RrType::kSvcb,
       "000100"
       "00040000",
       Malformed::kSvcbValue},
      {RrType::kSvcb,
       "000100"
       "00060004"
       "20010db8",
       Malformed::kSvcbValue},
  };
  for (const auto& c : cases) {
    std::string hex = c.hex;
    if (hex.size() % 2 != 0) hex += '0';
    const auto bytes = from_hex(hex).value();
    const auto data = parse(c.type, bytes);
    ASSERT_FALSE(data.ok()) << format(c.type) << ' ' << hex;
    EXPECT_EQ(name_of(data.error()), name_of(c.reason)) << format(c.type) << ' ' << hex;
  }
}

TEST(Rdata, compressed_names_only_where_rfc3597_4_has_them) {
  // Offset 12: "pool.test."; then the data, which points to it.
  const std::string head =
      "000000000000000000000000"
      "04706f6f6c047465737400";
  const auto parse_behind = [&](RrType type, const std::string& hex) {
    static std::vector<std::byte> bytes;
    bytes = from_hex(head + hex).value();
    ByteReader reader(bytes);
    reader.seek(23);
    return parse_rdata(reader, type, hex.size() / 2);
  };
  for (const RrType type : {RrType::kNs, RrType::kCname, RrType::kPtr}) {
    EXPECT_EQ(format_rdata(*parse_behind(type, "016ec00c")), "n.pool.test.");
  }
  EXPECT_EQ(format_rdata(*parse_behind(RrType::kMx, "0005c00c")), "5 pool.test.");
  EXPECT_EQ(format_rdata(*parse_behind(RrType::kSrv, "000100020003c00c")), "1 2 3 pool.test.");
  EXPECT_EQ(parse_behind(RrType::kNsec, "c00c").error(), Malformed::kNameCompressed);
  EXPECT_EQ(parse_behind(RrType::kHttps, "0001c00c").error(), Malformed::kNameCompressed);
  EXPECT_EQ(parse_behind(RrType::kRrsig, std::string(36, '0') + "c00c").error(),
            Malformed::kNameCompressed);
  // A name that leaves the data through its end, though not the message.
  const auto long_message = from_hex(head +
                                     "0161"
                                     "00")
                                .value();
  ByteReader reader(long_message);
  reader.seek(23);
  EXPECT_EQ(parse_rdata(reader, RrType::kNs, 2).error(), Malformed::kNameShort);
}

TEST(Rdata, key_tag_of_rfc4034_5_4) {
  const auto key = from_base64(
                       "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZ"
                       "DRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9Xzc"
                       "nOf+EPbtG9DMBmADjFDc2w/rljwvFw==")
                       .value();
  EXPECT_EQ(key_tag(Dnskey{256, 3, 5, key}), 60485);
  EXPECT_EQ(key_tag(Dnskey{256, 3, 1, from_hex("aabbccddee").value()}), 0xccdd);
}

TEST(Rdata, canonical_form_lowers_the_names_of_rfc4034_6_2_only) {
  const auto upper = from_hex(
                         "0141"
                         "00")
                         .value();
  EXPECT_EQ(written(*parse(RrType::kNs, upper), NameForm::kCanonical), "016100");
  const auto nsec = from_hex("014100000140").value();
  EXPECT_EQ(written(*parse(RrType::kNsec, nsec), NameForm::kCanonical), "014100000140");
  const auto svcb = from_hex(
                        "0001"
                        "014100")
                        .value();
  EXPECT_EQ(written(*parse(RrType::kSvcb, svcb), NameForm::kCanonical), "0001014100");
  const auto srv = from_hex(
                       "000000000000"
                       "014100")
                       .value();
  EXPECT_EQ(written(*parse(RrType::kSrv, srv), NameForm::kCanonical), "000000000000016100");
}

TEST(Svcb, consistency_of_rfc9460_2_4_3) {
  const auto consistent = [](const char* hex) {
    const auto bytes = from_hex(hex).value();
    EXPECT_TRUE(check_params(bytes).ok()) << hex;
    return check_consistent(bytes).ok();
  };
  EXPECT_TRUE(consistent(""));
  EXPECT_TRUE(
      consistent("00000002000300030002"
                 "0035"));
  EXPECT_FALSE(consistent("000000020003"));
  EXPECT_FALSE(consistent("00020000"));
  EXPECT_TRUE(consistent("0001000302683200020000"));
}

TEST(TypeBitmap, writes_and_finds_types) {
  std::vector<std::byte> buffer(100);
  ByteWriter writer(buffer);
  const RrType types[] = {RrType::kA, RrType::kMx, RrType::kRrsig, RrType::kNsec,
                          static_cast<RrType>(1234)};
  write_type_bitmap(writer, types);
  EXPECT_EQ(to_hex(writer.written()),
            "0006400100000003041b000000000000000000000000000000000000000000000000000020");
  EXPECT_TRUE(bitmap_has(writer.written(), RrType::kMx));
  EXPECT_FALSE(bitmap_has(writer.written(), RrType::kTxt));
  EXPECT_TRUE(check_type_bitmap({}).ok());
}

TEST(Strings, split_long_text_at_255) {
  std::vector<std::byte> buffer(1000);
  ByteWriter writer(buffer);
  write_strings(writer, std::string(300, 'x'));
  EXPECT_EQ(writer.size(), 302u);
  EXPECT_TRUE(valid_strings(writer.written()));
  writer.rewind(0);
  write_strings(writer, "");
  EXPECT_EQ(to_hex(writer.written()), "00");
}

TEST(Constants, mnemonics_both_ways) {
  EXPECT_EQ(format(RrType::kHttps), "HTTPS");
  EXPECT_EQ(format(static_cast<RrType>(731)), "TYPE731");
  EXPECT_EQ(parse_type("aaaa").value(), RrType::kAaaa);
  EXPECT_EQ(parse_type("type65535").value(), static_cast<RrType>(65535));
  EXPECT_EQ(parse_class("CLASS3").value(), RrClass::kCh);
  EXPECT_EQ(format(Rcode::kBadCookie), "BADCOOKIE");
  EXPECT_EQ(format(static_cast<Rcode>(77)), "RCODE77");
  EXPECT_EQ(format(static_cast<Opcode>(7)), "OPCODE7");
  for (const char* bad : {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE1x", "NOPE"}) {
    EXPECT_EQ(parse_type(bad).error(), Malformed::kUnknownName) << bad;
  }
}

RC_GTEST_PROP(Rdata, every_type_round_trips, (std::uint64_t seed)) {
  RecordGenerator generator(seed);
  for (const RrType type : kGeneratedTypes) {
    const Rdata data = generator.rdata(type);
    const auto bytes = from_hex(written(data)).value();
    const auto back = parse(type, bytes);
    if (!back.ok()) RC_FAIL(format(type) + ' ' + std::string(name_of(back.error())));
    RC_ASSERT(written(*back) == to_hex(bytes));
    RC_ASSERT(format_rdata(*back) == format_rdata(data));
  }
}

}  // namespace
}  // namespace timepool::wire::dns
