#include "dns/signed/denial.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"
#include "base/prng.h"

namespace timepool::dns {
namespace {

using wire::dns::canonical_order;
using wire::dns::DnsName;
using wire::dns::RrType;

DnsName name(const std::string& text) {
  return DnsName::from_text(text).value();
}

TEST(Denial, RFC9824_3_1_a_name_that_does_not_exist_has_NXNAME_and_the_next_name_below_it) {
  std::vector<std::byte> out(kMaxNsec);
  ByteWriter writer(out);
  write_nsec(writer, name("no.pool.test."), name("pool.test."), types_of_no_name());
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(to_hex(writer.written()),
            "0100026e6f04706f6f6c047465737400"
            "0011"
            "0000000000030000000000000000000080");
}

TEST(Denial, the_next_name_of_a_long_one_is_the_very_next_that_could_be) {
  const DnsName zone = name("z.");
  const std::string l63(63, 'a');
  // 3 labels of 64 octets, one of `last`, "z" and the root.
  const auto long_name = [&](const std::string& last) {
    DnsName out = zone;
    for (int i = 0; i < 3; ++i) out = DnsName::prepend(l63, out).value();
    return DnsName::prepend(last, out).value();
  };
  const DnsName room_below = long_name(std::string(57, 'b'));
  ASSERT_EQ(room_below.size(), 253U);
  EXPECT_EQ(successor(room_below, zone).size(), 255U);
  const DnsName room_behind = long_name(std::string(58, 'b'));
  EXPECT_EQ(successor(room_behind, zone), long_name(std::string(58, 'b') + std::string(1, '\0')));
  const DnsName full = long_name(std::string(59, 'b'));
  ASSERT_EQ(full.size(), 255U);
  EXPECT_EQ(successor(full, zone), long_name(std::string(58, 'b') + 'c'));
  EXPECT_EQ(successor(long_name(std::string(58, 'b') + '@'), zone),
            long_name(std::string(58, 'b') + '['));
  EXPECT_EQ(successor(long_name(std::string(57, 'b') + "\x01\xff"), zone),
            long_name(std::string(57, 'b') + "\x02"));
  const DnsName up = successor(long_name(std::string(59, '\xff')), zone);
  EXPECT_EQ(up.label_count(), 4U);
  EXPECT_EQ(up.first_label(), std::string(62, 'a') + 'b');
  DnsName last = zone;
  for (const std::size_t size : {63U, 63U, 63U, 59U}) {
    last = DnsName::prepend(std::string(size, '\xff'), last).value();
  }
  EXPECT_EQ(successor(last, zone), zone);
}

TEST(Denial, any_name_is_before_its_next_and_no_name_of_the_test_lies_between) {
  Prng prng(3);
  const DnsName zone = name("pool.test.");
  std::vector<DnsName> names;
  for (int i = 0; i < 400; ++i) {
    DnsName one = zone;
    for (std::uint64_t left = 1 + prng.below(5); left > 0; --left) {
      std::string label(1 + prng.below(63), 'x');
      for (char& c : label) c = "ab\xff\0@["[prng.below(6)];
      const auto longer = DnsName::prepend(label, one);
      if (longer.ok()) one = *longer;
    }
    names.push_back(one);
  }
  for (const DnsName& one : names) {
    const DnsName next = successor(one, zone);
    EXPECT_TRUE(next == zone || canonical_order(one, next) < 0);
    for (const DnsName& other : names) {
      EXPECT_FALSE(canonical_order(one, other) < 0 && canonical_order(other, next) < 0);
    }
  }
}

}  // namespace
}  // namespace timepool::dns
