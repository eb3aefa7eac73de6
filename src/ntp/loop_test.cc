#include "ntp/loop.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

using wire::ntp::ReferenceId;

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
Endpoint at(const char* text) {
  return parse_endpoint(text).value();
}

const OwnIdentity kOwn{{ip("192.0.2.10"), ip("2001:db8::10"), ip("127.0.0.1"), ip("::1")}, {}};

TEST(Loop, a_server_whose_reference_id_is_our_address_follows_us) {
  EXPECT_TRUE(follows_us(2, ReferenceId::of_address(ip("192.0.2.10")), kOwn));
  EXPECT_TRUE(follows_us(5, ReferenceId::of_address(ip("2001:db8::10")), kOwn));
  EXPECT_FALSE(follows_us(2, ReferenceId::of_address(ip("192.0.2.11")), kOwn));
  EXPECT_FALSE(follows_us(2, ReferenceId::of_address(ip("2001:db8::11")), kOwn));
}

TEST(Loop, a_stratum_1_follows_nobody_whatever_its_text_looks_like) {
  EXPECT_FALSE(follows_us(1, ReferenceId::of_address(ip("192.0.2.10")), kOwn));
}

TEST(Loop, the_loopback_address_of_another_machine_is_not_ours) {
  EXPECT_FALSE(follows_us(2, ReferenceId::of_address(ip("127.0.0.1")), kOwn));
  EXPECT_FALSE(follows_us(2, ReferenceId::of_address(ip("::1")), kOwn));
}

TEST(Loop, an_unknown_reference_is_no_loop) {
  const OwnIdentity any{{ip("0.0.0.0"), ip("192.0.2.10")}, {}};
  EXPECT_FALSE(follows_us(2, ReferenceId(), any));
}

TEST(Loop, without_a_server_of_our_own_nobody_is_ourselves) {
  EXPECT_FALSE(is_ourselves(at("192.0.2.10:123"), kOwn));
}

TEST(Loop, our_own_address_and_port_are_ourselves) {
  OwnIdentity own = kOwn;
  own.serves = {at("0.0.0.0:123")};
  EXPECT_TRUE(is_ourselves(at("192.0.2.10:123"), own));
  EXPECT_TRUE(is_ourselves(at("127.0.0.5:123"), own));
  EXPECT_FALSE(is_ourselves(at("192.0.2.10:1123"), own)) << "another daemon on this machine";
  EXPECT_FALSE(is_ourselves(at("192.0.2.11:123"), own));
  EXPECT_FALSE(is_ourselves(at("[2001:db8::10]:123"), own)) << "not served over IPv6";
  own.serves = {at("[::]:123")};
  EXPECT_TRUE(is_ourselves(at("[2001:db8::10]:123"), own));
  EXPECT_TRUE(is_ourselves(at("192.0.2.10:123"), own));
}

TEST(Loop, an_unspecified_address_stands_for_each_of_ours) {
  OwnIdentity own{{ip("192.0.2.10"), ip("2001:db8::10")}, {at("0.0.0.0:123"), at("127.0.0.2:99")}};
  EXPECT_EQ(own_endpoints(own), (std::vector<Endpoint>{at("192.0.2.10:123"), at("127.0.0.2:99")}));
}

TEST(Loop, a_server_on_one_address_is_not_on_the_others) {
  OwnIdentity own = kOwn;
  own.serves = {at("127.0.0.2:123")};
  EXPECT_TRUE(is_ourselves(at("127.0.0.2:123"), own));
  EXPECT_FALSE(is_ourselves(at("127.0.0.3:123"), own));
  EXPECT_FALSE(is_ourselves(at("192.0.2.10:123"), own));
}

}  // namespace
}  // namespace timepool::ntp
