#include "wire/dns/query.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"
#include "base/prng.h"
#include "wire/dns/message_writer.h"
#include "wire/dns/same_query.h"

namespace timepool::wire::dns {
namespace {

// "0.pool.test." A IN, as dig sends it without EDNS.
constexpr std::string_view kQuestion = "013004706f6f6c04746573740000010001";

std::string header(std::string_view flags, std::string_view counts) {
  return "beef" + std::string(flags) + std::string(counts);
}

struct Parsed {
  std::vector<std::byte> bytes;
  Result<Query, Malformed> query;
};

Parsed parse(const std::string& hex) {
  std::vector<std::byte> bytes = from_hex(hex).value();
  auto query = parse_query(bytes);
  return {std::move(bytes), std::move(query)};
}

// A query with one OPT of these option bytes.
Parsed parse_with_options(const std::string& options, std::string_view version = "00") {
  const auto size = static_cast<unsigned>(options.size() / 2);
  const std::byte length[] = {static_cast<std::byte>(size >> 8), static_cast<std::byte>(size)};
  return parse(header("0120", "0001000000000001") + std::string(kQuestion) + "00002904d000" +
               std::string(version) + "8000" + to_hex(length) + options);
}

Malformed error_of(const std::string& hex) {
  return parse(hex).query.error();
}

TEST(ParseQuery, reads_a_plain_question_in_place) {
  const auto [bytes, query] = parse(header("0100", "0001000000000000") + std::string(kQuestion));
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->header.id, 0xbeef);
  EXPECT_TRUE(query->header.has(Header::kRd));
  EXPECT_EQ(format(query->name), "0.pool.test.");
  EXPECT_EQ(query->name.wire().data(), bytes.data() + 12);
  EXPECT_EQ(query->type, RrType::kA);
  EXPECT_EQ(query->klass, RrClass::kIn);
  EXPECT_EQ(query->question_end, bytes.size());
  EXPECT_FALSE(query->edns.has_value());
  EXPECT_EQ(query->udp_limit(), 512u);
}

TEST(ParseQuery, reads_what_dig_sends) {
  // dig +subnet=192.0.2.0/24 +nsid +dnssec: UDP size 1232, DO, NSID, client subnet, cookie.
  const auto [bytes, query] = parse_with_options(
      "00030000"
      "0008000700011800c00002"
      "000a00081122334455667788");
  ASSERT_TRUE(query.ok()) << name_of(query.error());
  const Edns& edns = *query->edns;
  EXPECT_EQ(edns.header.udp_size, 1232);
  EXPECT_TRUE(edns.header.has(EdnsHeader::kDo));
  EXPECT_FALSE(edns.header.has(EdnsHeader::kCo));
  EXPECT_TRUE(edns.nsid.has_value());
  ASSERT_TRUE(edns.client_subnet.has_value());
  EXPECT_EQ(format(edns.client_subnet->prefix()), "192.0.2.0/24");
  EXPECT_EQ(edns.client_subnet->scope, 0);
  ASSERT_TRUE(edns.cookie.has_value());
  EXPECT_EQ(to_hex(edns.cookie->client), "1122334455667788");
  EXPECT_TRUE(edns.cookie->server.empty());
  EXPECT_EQ(query->udp_limit(), 1232u);
}

TEST(ParseQuery, refuses_a_broken_frame_with_its_reason) {
  const std::string q(kQuestion);
  const std::string one = "0001000000000000";
  const std::string a_record = "c00c00010001000000000004c0000201";
  const struct {
    std::string hex;
    Malformed reason;
  } cases[] = {
      {"", Malformed::kShortHeader},
      {"beef0100000100000000", Malformed::kShortHeader},
      {header("8100", one) + q, Malformed::kIsResponse},
      {header("2100", one) + q, Malformed::kOpcode},
      {header("0100", "0000000000000000"), Malformed::kQuestionCount},
      {header("0100", "0002000000000000") + q + q, Malformed::kQuestionCount},
      {header("0100", "0001000100000000") + q + a_record, Malformed::kAnswerInQuery},
      {header("0100", "0001000000010000") + q + a_record, Malformed::kAuthorityInQuery},
      {header("0100", one), Malformed::kNameShort},
      {header("0100", one) + "c00c00010001", Malformed::kNameCompressed},
      {header("0100", one) + "4100010001", Malformed::kLabelType},
      {header("0100", one) + q.substr(0, q.size() - 2), Malformed::kShortQuestion},
      {header("0100", one) + q + "00", Malformed::kTrailing},
      {header("0100", "0001000000000001") + q, Malformed::kNameShort},
      {header("0100", "0001000000000001") + q + "0000290200000000", Malformed::kShortRecord},
      {header("0100", "0001000000000001") + q + "c0ff00290200000000000000",
       Malformed::kNamePointer},
  };
  for (const auto& c : cases) {
    const auto parsed = parse(c.hex);
    ASSERT_FALSE(parsed.query.ok()) << c.hex;
    EXPECT_EQ(name_of(parsed.query.error()), name_of(c.reason)) << c.hex;
  }
}

TEST(ParseQuery, refuses_broken_edns_with_its_reason) {
  const std::string q(kQuestion);
  const std::string opt = "0000290200000000000000";
  EXPECT_EQ(error_of(header("0100", "0001000000000002") + q + opt + opt), Malformed::kOptTwice);
  EXPECT_EQ(error_of(header("0100", "0001000000000001") + q + "016100" + opt.substr(2)),
            Malformed::kOptOwner);
  const struct {
    const char* options;
    Malformed reason;
  } cases[] = {
      {"0003", Malformed::kOptionLength},
      {"00030001", Malformed::kOptionLength},
      {"000b000101", Malformed::kOptionLength},
      {"000f000100", Malformed::kOptionLength},
      {"00080003000118", Malformed::kSubnetLength},
      {"00080007000318"
       "00c00002",
       Malformed::kSubnetFamily},
      {"00080008000121"
       "00c0000200",
       Malformed::kSubnetPrefix},
      {"00080007000118"
       "18c00002",
       Malformed::kSubnetScope},
      {"00080008000118"
       "00c0000200",
       Malformed::kSubnetLength},
      {"00080006000118"
       "00c000",
       Malformed::kSubnetLength},
      {"00080007000117"
       "00c00003",
       Malformed::kSubnetBits},
      {"00080005000001"
       "0080",
       Malformed::kSubnetPrefix},
      {"000a0007"
       "11223344556677",
       Malformed::kCookieLength},
      {"000a0009"
       "112233445566778899",
       Malformed::kCookieLength},
      {"000a000f"
       "112233445566778811223344556677",
       Malformed::kCookieLength},
  };
  for (const auto& c : cases) {
    const auto parsed = parse_with_options(c.options);
    ASSERT_FALSE(parsed.query.ok()) << c.options;
    EXPECT_EQ(name_of(parsed.query.error()), name_of(c.reason)) << c.options;
  }
}

TEST(ParseQuery, accepts_the_edges_of_edns) {
  // No subnet wanted: family 0, or a family with nothing of an address (RFC 7871 7.1.2).
  EXPECT_EQ(parse_with_options("0008000400000000").query->edns->client_subnet->source, 0);
  EXPECT_EQ(parse_with_options("0008000400010000").query->edns->client_subnet->family, 1);
  const auto v6 = parse_with_options(
      "0008000b00023800"
      "20010db8001234");
  EXPECT_EQ(format(v6.query->edns->client_subnet->prefix()), "2001:db8:12:3400::/56");
  // The longest cookie; of two, the first.
  const std::string longest(80, '5');
  EXPECT_EQ(parse_with_options("000a0028" + longest).query->edns->cookie->server.size(), 32u);
  const auto twice = parse_with_options(
      "000a0008"
      "0000000000000001"
      "000a0008"
      "0000000000000002");
  EXPECT_EQ(to_hex(twice.query->edns->cookie->client), "0000000000000001");
  // Options of a version that is not known are not looked at.
  const auto version1 = parse_with_options("0008000100", "01");
  ASSERT_TRUE(version1.query.ok());
  EXPECT_EQ(version1.query->edns->header.version, 1);
  EXPECT_FALSE(version1.query->edns->client_subnet.has_value());
  // Unknown options and any padding stay as they are.
  const auto raw = parse_with_options(
      "fde9000411223344"
      "000c00021234");
  EXPECT_EQ(raw.query->edns->options.size(), 14u);
  EXPECT_TRUE(raw.query->edns->padding);
}

TEST(ParseQuery, takes_a_cookie_without_a_question) {
  const std::string hex = header("0000", "0000000000000001") +
                          "0000290200000000"
                          "00000c"
                          "000a00081122334455667788";
  const auto parsed = parse(hex);
  ASSERT_TRUE(parsed.query.ok()) << name_of(parsed.query.error());
  EXPECT_FALSE(parsed.query->has_question);
  EXPECT_EQ(parsed.query->question_end, 12);
}

TEST(ParseQuery, takes_ixfr_with_its_soa_and_finds_tsig_last) {
  const std::string ixfr = "04746573740000fb0001";
  const std::string soa =
      "c00c00060001000000000016"
      "00"
      "00"
      "00000001"
      "00000000"
      "00000000"
      "00000000"
      "00000000";
  const std::string tsig = "016b0000fa00ff000000000000";
  const auto parsed = parse(header("0000", "0001000000010001") + ixfr + soa + tsig);
  ASSERT_TRUE(parsed.query.ok()) << name_of(parsed.query.error());
  EXPECT_EQ(parsed.query->tsig_offset, 12 + 10 + 34);
  const std::string opt = "0000290200000000000000";
  EXPECT_EQ(error_of(header("0000", "0001000000000002") + std::string(kQuestion) + tsig + opt),
            Malformed::kTsigPlace);
  EXPECT_TRUE(
      parse(header("0000", "0001000000000002") + std::string(kQuestion) + opt + tsig).query.ok());
}

// Queries as resolvers send them, each with every octet changed to every value, with octets put in
// and taken out, and cut everywhere: the reader's short way must leave no trace.
TEST(ParseQuery, the_short_way_for_common_queries_reads_what_the_long_one_reads) {
  const std::string opt = "00002904d000008000";
  const std::vector<std::string> common{
      header("0100", "0001000000000000") + std::string(kQuestion),
      header("0120", "0001000000000001") + std::string(kQuestion) + opt + "0000",
      header("0000", "0001000000000001") + std::string(kQuestion) + opt + "000b" +
          "00080007000118" + "00c00002",
      header("0000", "0001000000000001") + "0000020001" + opt + "0008" + "00080004" + "00000000",
      header("0000", "0001000000000001") + std::string(kQuestion) + opt + "001d" + "00030000" +
          "000a0008" + "1122334455667788" + "00080009000228" + "0020010db801" + "",
      header("0000", "0001000000000001") + std::string(kQuestion) + opt + "0010" + "000c0002" +
          "0000" + "000b0000" + "000f0002" + "0007"};
  for (const std::string& hex : common) {
    const std::vector<std::byte> whole = from_hex(hex).value();
    ASSERT_TRUE(testing::read_alike(whole) && parse_query(whole).ok()) << hex;
    for (std::size_t at = 0; at < whole.size(); ++at) {
      ASSERT_TRUE(testing::read_alike(Bytes(whole).first(at))) << hex << " cut at " << at;
      std::vector<std::byte> changed = whole;
      for (unsigned value = 0; value < 256; ++value) {
        changed[at] = static_cast<std::byte>(value);
        ASSERT_TRUE(testing::read_alike(changed)) << to_hex(changed);
      }
      std::vector<std::byte> shorter = whole;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(at));
      ASSERT_TRUE(testing::read_alike(shorter)) << to_hex(shorter);
      std::vector<std::byte> longer = whole;
      longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(at), std::byte{0});
      ASSERT_TRUE(testing::read_alike(longer)) << to_hex(longer);
    }
  }
}

TEST(ParseQuery, the_short_way_reads_names_up_to_the_longest) {
  for (const unsigned label : {1U, 2U, 7U, 62U, 63U, 64U}) {
    for (unsigned size = 240; size < 262; ++size) {
      std::vector<std::byte> bytes = from_hex(header("0000", "0001000000000000")).value();
      const std::size_t end = bytes.size() + size - 1;
      while (bytes.size() < end) {
        const auto left = static_cast<unsigned>(end - bytes.size());
        const unsigned count = std::min(label, left - 1);
        bytes.push_back(static_cast<std::byte>(count));
        bytes.resize(bytes.size() + count, std::byte{'x'});
      }
      bytes.push_back(std::byte{0});
      for (const unsigned octet : {0U, 1U, 0U, 1U}) bytes.push_back(static_cast<std::byte>(octet));
      ASSERT_TRUE(testing::read_alike(bytes)) << label << ' ' << size;
    }
  }
}

TEST(ParseQuery, both_ways_read_random_changes_of_queries_alike) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng prng(kSeed);
  const std::vector<std::byte> whole =
      from_hex(header("0100", "0001000000000001") + std::string(kQuestion) +
               "00002904d00000800000170008000700011800c00002000a00081122334455667788")
          .value();
  std::size_t sound = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> changed = whole;
    for (std::uint64_t i = prng.below(4); i > 0; --i) {
      changed[prng.below(changed.size())] = static_cast<std::byte>(prng.below(256));
    }
    ASSERT_TRUE(testing::read_alike(changed)) << to_hex(changed);
    sound += parse_query(changed).ok() ? 1U : 0U;
  }
  EXPECT_GT(sound, 5'000U);
}

TEST(ParseQuery, says_what_to_answer) {
  EXPECT_EQ(rcode_for(Malformed::kOpcode), Rcode::kNotImp);
  EXPECT_EQ(rcode_for(Malformed::kSubnetBits), Rcode::kFormErr);
  EXPECT_TRUE(must_drop(Malformed::kIsResponse));
  EXPECT_TRUE(must_drop(Malformed::kShortHeader));
  EXPECT_FALSE(must_drop(Malformed::kOptTwice));
}

RC_GTEST_PROP(ParseQuery, reads_back_what_the_writer_wrote,
              (std::uint16_t id, std::uint16_t type, std::uint16_t size)) {
  const auto label = *rc::gen::container<std::string>(5, rc::gen::arbitrary<char>());
  const DnsName name = DnsName::prepend(label, *DnsName::from_text("pool.test")).value();
  std::array<std::byte, 512> buffer;
  MessageWriter writer(buffer);
  Header sent;
  sent.id = id;
  sent.set(Header::kRd);
  writer.header(sent);
  RC_ASSERT(writer.question(name, static_cast<RrType>(type), RrClass::kCh));
  RC_ASSERT(writer.opt({.udp_size = size, .flags = EdnsHeader::kDo}));
  const auto query = parse_query(writer.finish());
  RC_ASSERT(query.ok());
  RC_ASSERT(query->header.id == id);
  RC_ASSERT(same_bytes(query->name, name));
  RC_ASSERT(query->type == static_cast<RrType>(type));
  RC_ASSERT(query->klass == RrClass::kCh);
  RC_ASSERT(query->edns->header.udp_size == size);
}

RC_GTEST_PROP(ParseQuery, any_cut_of_a_query_is_refused, ()) {
  const auto whole = from_hex(header("0120", "0001000000000001") + std::string(kQuestion) +
                              "00002904d000008000000b"
                              "00080007000118"
                              "00c00002")
                         .value();
  RC_ASSERT(parse_query(whole).ok());
  const auto cut = *rc::gen::inRange<std::size_t>(0, whole.size());
  RC_ASSERT(!parse_query(Bytes(whole).first(cut)).ok());
}

}  // namespace
}  // namespace timepool::wire::dns
