#include "nts/server_name.h"

#include <gtest/gtest.h>

namespace timepool::nts {
namespace {

TEST(ServerName, is_an_address_without_a_zone_or_a_domain_name) {
  for (const char* name : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "a", "ntp.example",
                           "ntp.example.", "xn--mller-kva.example", "_x.a-b.example", "1.a"}) {
    EXPECT_TRUE(is_server_name(name)) << name;
  }
  for (const char* name :
       {"", ".", "a..b", ".a", "a.b..", "a b", "fe80::1%eth0", "[2001:db8::1]", "192.0.2.1:123",
        "192.0.2", "192.0.2.1.", "192.0.2.256", "m\xc3\xbcller.example", "a/b", "a\n"}) {
    EXPECT_FALSE(is_server_name(name)) << name;
  }
}

TEST(ServerName, has_labels_of_63_and_253_characters_at_the_most) {
  const std::string label(63, 'a');
  EXPECT_TRUE(is_server_name(label));
  EXPECT_FALSE(is_server_name(label + "a"));
  const std::string three = label + "." + label + "." + label + ".";
  EXPECT_TRUE(is_server_name(three + std::string(61, 'b')));
  EXPECT_TRUE(is_server_name(three + std::string(61, 'b') + "."));
  EXPECT_FALSE(is_server_name(three + std::string(62, 'b')));
}

TEST(ServerName, an_octet_that_is_zero_is_part_of_no_name) {
  EXPECT_FALSE(is_server_name(std::string_view("a\0b", 3)));
}

TEST(ServerName, two_names_are_one_without_regard_to_case_and_last_dot) {
  EXPECT_TRUE(same_server_name("NTP.example", "ntp.Example."));
  EXPECT_TRUE(same_server_name("2001:DB8::1", "2001:db8:0:0::1"));
  EXPECT_FALSE(same_server_name("ntp.example", "ntp2.example"));
  EXPECT_FALSE(same_server_name("192.0.2.1", "ntp.example"));
  EXPECT_FALSE(same_server_name("192.0.2.1", "192.0.2.2"));
  EXPECT_FALSE(same_server_name("", "a"));
}

TEST(ServerName, an_address_serves_its_own_family_a_name_both) {
  EXPECT_TRUE(may_serve_family("192.0.2.1", IpFamily::kV4));
  EXPECT_FALSE(may_serve_family("192.0.2.1", IpFamily::kV6));
  EXPECT_TRUE(may_serve_family("2001:db8::1", IpFamily::kV6));
  EXPECT_TRUE(may_serve_family("ntp.example", IpFamily::kV6));
}

}  // namespace
}  // namespace timepool::nts
