#include "base/ip.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

namespace timepool {
namespace {

IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

TEST(IpAddress, refuses_what_is_no_address) {
  for (const char* bad : {"",
                          "1",
                          "1.2.3",
                          "1.2.3.4.5",
                          "256.1.1.1",
                          "01.2.3.4",
                          "1.2.3.4 ",
                          " 1.2.3.4",
                          "1..2.3",
                          ":",
                          ":::",
                          "1:2",
                          "1::2::3",
                          "1:2:3:4:5:6:7:8:9",
                          "12345::",
                          "g::",
                          "1:2:3:4:5:6:7::8:9",
                          "::1.2.3",
                          "::1.2.3.4:5",
                          "fe80::1%eth0",
                          "1:2:3:4:5:6:7:",
                          "1:2:3:4:5:6:7:1.2.3.4"}) {
    EXPECT_FALSE(parse_ip(bad).ok()) << bad;
  }
}

// The system's parser and printer as the oracle.
RC_GTEST_PROP(IpAddress, agrees_with_inet_ntop,
              (const std::array<std::uint8_t, 16>& random, std::uint16_t zero_mask)) {
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i < 16; ++i) {
    bytes[i] = (zero_mask >> i & 1) != 0 ? std::byte{0} : static_cast<std::byte>(random[i]);
  }
  const IpAddress address = IpAddress::from_bytes(bytes);
  RC_ASSERT(ip(format(address)) == address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  RC_ASSERT(ip(text.data()) == address);
  // inet_ntop also writes ::a.b.c.d for compatible addresses; RFC 5952 5 asks that of mapped only.
  if (std::string_view(text.data()).find('.') == std::string_view::npos) {
    RC_ASSERT(format(address) == text.data());
  }
}

RC_GTEST_PROP(IpAddress, v4_text_round_trips, (std::uint32_t bits)) {
  const IpAddress address = IpAddress::v4(bits);
  RC_ASSERT(ip(format(address)) == address);
  RC_ASSERT(address.v4_bits() == bits);
}

TEST(IpAddress, rfc5952_forms) {
  EXPECT_EQ(format(ip("2001:DB8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");
  EXPECT_EQ(format(ip("2001:db8:0:1:1:1:1:1")), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(format(ip("0:0:0:0:0:0:0:0")), "::");
  EXPECT_EQ(format(ip("::ffff:192.0.2.1")), "::ffff:192.0.2.1");
  EXPECT_EQ(format(ip("1:2:3:4:5:6:7::")), "1:2:3:4:5:6:7:0");
  EXPECT_EQ(ip("::ffff:192.0.2.1").unmapped(), ip("192.0.2.1"));
}

TEST(IpAddress, knows_public_addresses) {
  for (const char* good :
       {"1.1.1.1", "192.0.3.1", "100.128.0.1", "2001:4860:4860::8888", "2a00::1", "172.32.0.1"}) {
    EXPECT_TRUE(ip(good).is_global_unicast()) << good;
  }
  for (const char* bad :
       {"0.0.0.1",     "10.1.2.3",    "127.0.0.1",       "169.254.1.1",    "172.31.255.255",
        "192.168.1.1", "224.0.0.1",   "255.255.255.255", "100.64.0.1",     "203.0.113.9",
        "::",          "::1",         "fe80::1",         "fc00::1",        "ff02::1",
        "2001:db8::1", "2001:0:1::1", "64:ff9b::1",      "::ffff:1.1.1.1", "3fff::1"}) {
    EXPECT_FALSE(ip(bad).is_global_unicast()) << bad;
  }
  EXPECT_TRUE(ip("127.5.0.1").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
}

TEST(Prefix, parses_and_refuses_host_bits) {
  EXPECT_EQ(format(*parse_prefix("192.0.2.0/24")), "192.0.2.0/24");
  EXPECT_EQ(format(*parse_prefix("2001:db8::1")), "2001:db8::1/128");
  EXPECT_EQ(parse_prefix("192.0.2.1/24").error().text(),
            "prefix \"192.0.2.1/24\": bits are set past its length; did you mean 192.0.2.0/24?");
  for (const char* bad :
       {"192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "::/129", "x/8", "1.0.0.0/8x"}) {
    EXPECT_FALSE(parse_prefix(bad).ok()) << bad;
  }
}

RC_GTEST_PROP(Prefix, contains_exactly_what_shares_its_bits, (std::uint32_t a, std::uint32_t b)) {
  const int length = *rc::gen::inRange(0, 33);
  const Prefix prefix(IpAddress::v4(a), length);
  const bool same = length == 0 || (a ^ b) >> (32 - length) == 0;
  RC_ASSERT(prefix.contains(IpAddress::v4(b)) == same);
  RC_ASSERT(*parse_prefix(format(prefix)) == prefix);
  RC_ASSERT(!prefix.contains(ip("::")));
}

TEST(Endpoint, parses_both_families) {
  EXPECT_EQ(format(*parse_endpoint("192.0.2.1:123")), "192.0.2.1:123");
  EXPECT_EQ(format(*parse_endpoint("[::1]:53")), "[::1]:53");
  EXPECT_EQ(format(*parse_endpoint("::1", 123)), "[::1]:123");
  EXPECT_EQ(format(*parse_endpoint("[::1]", 123)), "[::1]:123");
  for (const char* bad :
       {"192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "[::1", "[::1]x", "[1.2.3.4]:5", ":5", ""}) {
    EXPECT_FALSE(parse_endpoint(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace timepool
