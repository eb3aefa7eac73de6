#include "wire/dns/name.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/byte_writer.h"
#include "base/hex.h"

namespace timepool::wire::dns {
namespace {

DnsName name(std::string_view text) {
  return DnsName::from_text(text).value();
}

// A name of up to `max_labels` random labels, any octets.
rc::Gen<DnsName> any_name(int max_labels = 6) {
  return rc::gen::exec([max_labels] {
    DnsName out;
    const int count = *rc::gen::inRange(0, max_labels + 1);
    for (int i = 0; i < count; ++i) {
      const auto size = *rc::gen::inRange<std::size_t>(1, 12);
      const auto label = *rc::gen::container<std::string>(size, rc::gen::arbitrary<char>());
      const auto longer = DnsName::prepend(label, out);
      if (longer.ok()) out = *longer;
    }
    return out;
  });
}

Result<DnsName, Malformed> parse_at(std::string_view hex, std::size_t at) {
  static std::vector<std::byte> bytes;
  bytes = from_hex(hex).value();
  ByteReader reader(bytes);
  reader.seek(at);
  return parse_name(reader);
}

constexpr std::string_view kZeroHeader = "000000000000000000000000";

TEST(DnsName, text_and_wire_form_of_rfc1035_names) {
  EXPECT_EQ(to_hex(name("F.ISI.ARPA.").wire()), "014603495349044152504100");
  EXPECT_EQ(format(name("F.ISI.ARPA")), "F.ISI.ARPA.");
  EXPECT_EQ(to_hex(DnsName().wire()), "00");
  EXPECT_EQ(format(DnsName()), ".");
  EXPECT_EQ(name("."), DnsName());
}

TEST(DnsName, escapes_in_text) {
  const DnsName odd = name(R"(a\.b.\032\\\"\(\;\@\$\255.)");
  EXPECT_EQ(to_hex(odd.wire()), "03612e6208205c22283b4024ff00");
  EXPECT_EQ(format(odd), R"(a\.b.\032\\\"\(\;\@\$\255.)");
  for (const char* bad : {"a\\", "a\\1", "a\\25", "a\\256.", "a\\2x5"}) {
    EXPECT_EQ(DnsName::from_text(bad).error(), Malformed::kEscape) << bad;
  }
}

TEST(DnsName, relative_text_gets_the_origin) {
  const DnsName origin = name("pool.test.");
  EXPECT_EQ(DnsName::from_text("0.us", origin).value(), name("0.us.pool.test."));
  EXPECT_EQ(DnsName::from_text("us.", origin).value(), name("us."));
  // The dot is part of the label when it is escaped.
  EXPECT_EQ(DnsName::from_text("us\\.", origin)->label_count(), 3u);
  for (const char* bad : {"", "..", ".a", "a..b", "a.."}) {
    EXPECT_EQ(DnsName::from_text(bad).error(), Malformed::kEmptyLabel) << bad;
  }
}

TEST(DnsName, limits_of_labels_and_names) {
  const std::string label63(63, 'x');
  EXPECT_TRUE(DnsName::from_text(label63).ok());
  EXPECT_EQ(DnsName::from_text(label63 + "x").error(), Malformed::kLabelTooLong);
  // 3 * 64 + 62 + 1 = 255.
  const std::string head = label63 + '.' + label63 + '.' + label63 + '.';
  EXPECT_EQ(DnsName::from_text(head + std::string(61, 'y'))->size(), 255u);
  EXPECT_EQ(DnsName::from_text(head + std::string(62, 'y')).error(), Malformed::kNameTooLong);
  EXPECT_EQ(DnsName::from_text(head + std::string(60, 'y'), name("a.")).error(),
            Malformed::kNameTooLong);
  EXPECT_EQ(DnsName::prepend("a", name(head + std::string(61, 'y'))).error(),
            Malformed::kNameTooLong);
  EXPECT_EQ(DnsName::prepend("a", name(head + std::string(59, 'y')))->size(), 255u);
  EXPECT_EQ(DnsName::prepend("", DnsName()).error(), Malformed::kEmptyLabel);
  EXPECT_EQ(DnsName::concat(name(head), name(head)).error(), Malformed::kNameTooLong);
  std::string many;
  for (std::size_t i = 0; i < kMaxLabels; ++i) many += "a.";
  EXPECT_EQ(name(many).label_count(), kMaxLabels);
  EXPECT_EQ(DnsName::from_text(many + "a.").error(), Malformed::kNameTooLong);
}

TEST(DnsName, compressed_names_of_rfc1035_4_1_4) {
  // The RFC's example, at its offsets 20, 40, 64 and 92.
  const std::string hex = std::string(kZeroHeader) + std::string(16, '0') +  // 20 bytes
                          "0146034953490441525041"
                          "00" +                  // 20: F.ISI.ARPA
                          std::string(16, '0') +  // 32
                          "03464f4fc014" +        // 40: FOO + 20
                          std::string(36, '0') +
                          "c01a" +                      // 64: 26, ARPA
                          std::string(52, '0') + "00";  // 92: root
  EXPECT_EQ(format(parse_at(hex, 20).value()), "F.ISI.ARPA.");
  EXPECT_EQ(format(parse_at(hex, 40).value()), "FOO.F.ISI.ARPA.");
  EXPECT_EQ(format(parse_at(hex, 64).value()), "ARPA.");
  EXPECT_EQ(format(parse_at(hex, 92).value()), ".");
}

TEST(DnsName, the_reader_stands_behind_the_first_pointer) {
  const auto bytes = from_hex(std::string(kZeroHeader) +
                              "016100"
                              "0162c00c"
                              "ff")
                         .value();
  ByteReader reader(bytes);
  reader.seek(15);
  EXPECT_EQ(format(parse_name(reader).value()), "b.a.");
  EXPECT_EQ(reader.u8(), 0xff);
}

TEST(DnsName, refuses_pointers_that_loop_or_lead_forward_or_into_the_header) {
  const std::string head(kZeroHeader);
  EXPECT_EQ(parse_at(head + "c00c", 12).error(), Malformed::kNamePointer);        // itself
  EXPECT_EQ(parse_at(head + "0161c00c", 12).error(), Malformed::kNamePointer);    // own start
  EXPECT_EQ(parse_at(head + "c00e016100", 12).error(), Malformed::kNamePointer);  // forward
  EXPECT_EQ(parse_at(head + "c000", 12).error(), Malformed::kNamePointer);        // header
  EXPECT_EQ(parse_at(head + "c00ec00c", 14).error(), Malformed::kNamePointer);    // in turn
  EXPECT_EQ(parse_at(head + "c00b", 12).error(), Malformed::kNamePointer);
}

TEST(DnsName, refuses_names_cut_short_too_long_or_of_unknown_label_types) {
  const std::string head(kZeroHeader);
  EXPECT_EQ(parse_at(head, 12).error(), Malformed::kNameShort);
  EXPECT_EQ(parse_at(head + "0361", 12).error(), Malformed::kNameShort);
  EXPECT_EQ(parse_at(head + "0161", 12).error(), Malformed::kNameShort);
  EXPECT_EQ(parse_at(head + "c0", 12).error(), Malformed::kNameShort);
  EXPECT_EQ(parse_at(head + "4161", 12).error(), Malformed::kLabelType);
  EXPECT_EQ(parse_at(head + "8161", 12).error(), Malformed::kLabelType);
  // Each segment is legal; together they pass 255 octets.
  std::string bytes = head;
  std::string last = "00";
  std::size_t at = 12;
  for (int i = 0; i < 5; ++i) {
    std::string segment = "3f";
    for (int j = 0; j < 63; ++j) segment += "61";
    segment += last;
    const std::string target =
        to_hex(std::vector<std::byte>{static_cast<std::byte>(0xc0), static_cast<std::byte>(at)});
    bytes += segment;
    last = target;
    at += segment.size() / 2;
    if (at > 255) break;
  }
  const std::size_t fourth = bytes.size() / 2;
  bytes += "3f";
  for (int j = 0; j < 63; ++j) bytes += "61";
  bytes += last;
  EXPECT_EQ(parse_at(bytes, fourth).error(), Malformed::kNameTooLong);
}

TEST(DnsName, plain_names_refuse_pointers) {
  const auto bytes = from_hex("0161c00c").value();
  ByteReader reader(bytes);
  EXPECT_EQ(parse_plain_name(reader).error(), Malformed::kNameCompressed);
  const auto plain = from_hex(
                         "01610162"
                         "00"
                         "ff")
                         .value();
  ByteReader good(plain);
  EXPECT_EQ(format(parse_plain_name(good).value()), "a.b.");
  EXPECT_EQ(good.position(), 5u);
}

TEST(DnsName, case_is_kept_but_not_compared) {
  const DnsName a = name("PoOl.TeSt.");
  const DnsName b = name("pool.test.");
  EXPECT_EQ(a, b);
  EXPECT_FALSE(same_bytes(a, b));
  EXPECT_EQ(hash(a, 7), hash(b, 7));
  EXPECT_NE(hash(a, 7), hash(a, 8));
  EXPECT_TRUE(same_bytes(lowered(a), b));
  EXPECT_EQ(format(a), "PoOl.TeSt.");
  // Only the 26 letters fold: not '@' and '`', '[' and '{', nor octets above 127.
  EXPECT_FALSE(name(R"(\@)") == name("`"));
  EXPECT_FALSE(name("[") == name("{"));
  EXPECT_FALSE(name(R"(\193)") == name(R"(\225)"));
}

TEST(DnsName, parents_suffixes_and_what_is_within_what) {
  const DnsName n = name("0.us.pool.test.");
  EXPECT_EQ(format(n.parent()), "us.pool.test.");
  EXPECT_EQ(format(n.view().suffix(2)), "pool.test.");
  EXPECT_EQ(format(n.view().suffix(9)), "0.us.pool.test.");
  EXPECT_EQ(format(DnsName().parent()), ".");
  EXPECT_TRUE(n.is_within(name("POOL.test.")));
  EXPECT_TRUE(n.is_within(n));
  EXPECT_TRUE(n.is_within(DnsName()));
  EXPECT_FALSE(n.is_within(name("ool.test.")));
  EXPECT_FALSE(name("test.").is_within(n));
  EXPECT_TRUE(name("*.pool.test.").is_wildcard());
  EXPECT_EQ(n.first_label(), "0");
  std::vector<std::string> labels;
  for (const std::string_view label : n.labels()) labels.emplace_back(label);
  EXPECT_EQ(labels, (std::vector<std::string>{"0", "us", "pool", "test"}));
}

TEST(DnsName, canonical_order_of_rfc4034_6_1) {
  const char* sorted[] = {"example.",         "a.example.",      "yljkjljk.a.example.",
                          "Z.a.example.",     "zABC.a.EXAMPLE.", "z.example.",
                          "\\001.z.example.", "*.z.example.",    "\\200.z.example."};
  for (std::size_t i = 0; i < std::size(sorted); ++i) {
    for (std::size_t j = 0; j < std::size(sorted); ++j) {
      EXPECT_EQ(canonical_order(name(sorted[i]), name(sorted[j])), i <=> j)
          << sorted[i] << ' ' << sorted[j];
    }
  }
}

RC_GTEST_PROP(DnsName, text_round_trips, ()) {
  const DnsName a = *any_name();
  const auto back = DnsName::from_text(format(a));
  RC_ASSERT(back.ok());
  RC_ASSERT(same_bytes(*back, a));
}

RC_GTEST_PROP(DnsName, wire_round_trips_and_every_cut_fails, ()) {
  const DnsName a = *any_name();
  ByteReader reader(a.wire());
  RC_ASSERT(same_bytes(*parse_name(reader), a));
  RC_ASSERT(reader.remaining() == 0u);
  const auto cut = *rc::gen::inRange<std::size_t>(0, a.size());
  ByteReader shorter(a.wire().first(cut));
  RC_ASSERT(parse_name(shorter).error() == Malformed::kNameShort);
}

RC_GTEST_PROP(DnsName, order_equality_and_hash_agree_with_lower_case, ()) {
  const DnsName a = *any_name(3);
  const DnsName b = *rc::gen::oneOf(any_name(3), rc::gen::just(lowered(a)));
  RC_ASSERT((a == b) == same_bytes(lowered(a), lowered(b)));
  RC_ASSERT((canonical_order(a, b) == 0) == (a == b));
  RC_ASSERT((canonical_order(a, b) < 0) == (canonical_order(b, a) > 0));
  RC_ASSERT(!(a == b) || hash(a) == hash(b));
  std::array<std::byte, kMaxName> buffer;
  RC_ASSERT(same_bytes(lower_into(a, buffer), lowered(a)));
}

}  // namespace
}  // namespace timepool::wire::dns
