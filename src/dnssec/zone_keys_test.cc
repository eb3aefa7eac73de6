#include "dnssec/zone_keys.h"

#include <gtest/gtest.h>

namespace timepool::dnssec {
namespace {

TEST(ZoneKeys, data_and_tag_are_those_of_rfc_4034) {
  ZoneKey key;
  key.flags = kZoneKeyFlag | kEntryPointFlag;
  key.algorithm = Algorithm::kEd25519;
  key.public_key.resize(32);
  key.public_key[30] = std::byte{0xff};
  key.public_key[31] = std::byte{0xff};
  const std::vector<std::byte> data = dnskey_data(key);
  ASSERT_EQ(data.size(), 4 + key.public_key.size());
  EXPECT_EQ(data[0], std::byte{0x01});
  EXPECT_EQ(data[1], std::byte{0x01});
  EXPECT_EQ(data[2], std::byte{3});
  EXPECT_EQ(data[3], std::byte{15});
  // Appendix B by hand: 0x0101 + 0x030f + 0xffff, and its carry added once.
  EXPECT_EQ(key_tag(key), 0x0410);
}

}  // namespace
}  // namespace timepool::dnssec
