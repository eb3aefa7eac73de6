// A zone of a standard master file, as it is answered.
#include <gtest/gtest.h>

#include <string>

#include "dns/signed_testing.h"
#include "dns/testing.h"
#include "dns/zone/master_file.h"

namespace timepool::dns {
namespace {

using wire::dns::RrType;

constexpr const char* kHead =
    "$TTL 1h\n"
    "@ IN SOA ns1 hostmaster ( 2026010101 ; serial\n"
    "   2h 30m 2w 5m )\n"
    "  NS ns1\n"
    "ns1 A 192.0.2.1\n";

TEST(MasterFile, is_answered_whole_with_its_own_ttls) {
  auto zone = load_master(std::string(kHead) +
                              "many 60 A 192.0.2.1\nmany A 192.0.2.2\nmany A 192.0.2.3\n"
                              "a\\.b TXT x\nus TXT not-a-target\n",
                          "example.net", {});
  ASSERT_TRUE(zone.ok());
  const Zone* pointers[] = {&zone.value()};
  ClassCache cache;
  const auto compiled = CompiledZones::compile(pointers, testing::geography(), cache);
  ASSERT_TRUE(compiled.ok());
  const auto got = testing::ask(**compiled, {"many.example.net."});
  EXPECT_EQ(got.answers().size(), 3U);
  const auto soa = testing::ask(**compiled, {"example.net.", RrType::kSoa});
  ASSERT_EQ(soa.answers().size(), 1U);
  EXPECT_EQ(soa.answers()[0],
            "example.net. 3600 IN SOA ns1.example.net. hostmaster.example.net. 2026010101 7200 "
            "1800 1209600 300");
  // RFC 2308 5: the negative answer lives no longer than the SOA's minimum.
  const auto nothing = testing::ask(**compiled, {"gone.example.net.", RrType::kTxt});
  EXPECT_EQ(nothing.outcome.rcode, wire::dns::Rcode::kNxDomain);
  ASSERT_EQ(nothing.authority().size(), 1U);
  EXPECT_EQ(nothing.authority()[0].substr(0, 27), "example.net. 300 IN SOA ns1");
  EXPECT_EQ(testing::ask(**compiled, {"a\\.b.example.net.", RrType::kTxt}).answers().size(), 1U);
  EXPECT_EQ(testing::ask(**compiled, {"example.net.", RrType::kTxt}, "198.19.0.1").answers().size(),
            0U);
}

TEST(MasterFile, RFC9077_3_nsec_lives_no_longer_than_the_minimum_of_the_soa) {
  auto zone = load_master(kHead, "example.net", {});
  ASSERT_TRUE(zone.ok());
  std::vector<Zone> zones;
  zones.push_back(std::move(zone).value());
  testing::SignedPool pool{testing::compile(zones), testing::keys_for({"example.net"})};
  for (const char* name : {"ns1.example.net.", "gone.example.net."}) {
    const auto authority = pool.ask({.name = name, .type = RrType::kTxt}).authority();
    bool seen = false;
    for (const std::string& record : authority) {
      if (record.find(" IN NSEC ") == std::string::npos) continue;
      seen = true;
      EXPECT_NE(record.find(" 300 IN NSEC "), std::string::npos) << record;
    }
    EXPECT_TRUE(seen) << name;
  }
}

}  // namespace
}  // namespace timepool::dns
