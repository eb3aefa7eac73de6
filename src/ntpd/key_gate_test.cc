#include "ntpd/key_gate.h"

#include <gtest/gtest.h>

namespace timepool::ntpd {
namespace {

const MonoTime kStart = MonoTime::from_ns(1'000'000'000'000);

IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

config::NtsLimitsConfig few() {
  config::NtsLimitsConfig out;
  out.connections = 6;
  out.v4_32_connections = 2;
  out.v4_24_connections = 3;
  out.v6_56_connections = 2;
  out.v6_48_connections = 3;
  return out;
}

TEST(KeyGate, KES14_counts_addresses_and_networks_of_IPv4) {
  KeyGate gate(few(), 1000);
  EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kNetworkFull);
  EXPECT_EQ(gate.admit(ip("192.0.2.2"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("192.0.2.3"), kStart), Admission::kNetworkFull);
  EXPECT_EQ(gate.admit(ip("192.0.3.1"), kStart), Admission::kYes);
  gate.leave(ip("192.0.2.1"));
  EXPECT_EQ(gate.admit(ip("192.0.2.3"), kStart), Admission::kYes);
  EXPECT_EQ(gate.open(), 4U);
}

TEST(KeyGate, KES14_counts_networks_of_IPv6) {
  KeyGate gate(few(), 1000);
  EXPECT_EQ(gate.admit(ip("2001:db8:0:100::1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("2001:db8:0:1ff::1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("2001:db8:0:100::2"), kStart), Admission::kNetworkFull);
  EXPECT_EQ(gate.admit(ip("2001:db8:0:200::1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("2001:db8:0:300::1"), kStart), Admission::kNetworkFull);
  EXPECT_EQ(gate.admit(ip("2001:db8:1::1"), kStart), Admission::kYes);
}

TEST(KeyGate, all_together_have_a_limit_also_those_exempt) {
  KeyGate gate(few(), 1000);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(gate.admit(ip("127.0.0.1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("127.0.0.1"), kStart), Admission::kFull);
  gate.leave(ip("127.0.0.1"));
  EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kYes);
}

TEST(KeyGate, has_no_more_than_there_are_descriptors_for) {
  KeyGate gate(few(), 4);
  EXPECT_EQ(gate.limit(), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(gate.admit(ip("127.0.0.1"), kStart), Admission::kYes);
  EXPECT_EQ(gate.admit(ip("127.0.0.1"), kStart), Admission::kFull);
}

TEST(KeyGate, a_burst_as_of_one_address_of_many_clients_passes_and_then_its_rate) {
  config::NtsLimitsConfig config;
  config.address_rate = 10;
  config.address_burst = 500;
  KeyGate gate(config, 10'000);
  const auto admitted = [&](MonoTime now) {
    std::size_t out = 0;
    for (int i = 0; i < 1000; ++i) {
      if (gate.admit(ip("192.0.2.1"), now) != Admission::kYes) continue;
      gate.leave(ip("192.0.2.1"));
      ++out;
    }
    return out;
  };
  EXPECT_EQ(admitted(kStart), 500U);
  EXPECT_NEAR(static_cast<double>(admitted(kStart + Duration::seconds(10))), 100, 2);
  EXPECT_EQ(gate.admit(ip("192.0.3.1"), kStart + Duration::seconds(10)), Admission::kYes);
}

TEST(KeyGate, the_rate_of_a_network_holds_for_its_addresses_together) {
  config::NtsLimitsConfig config;
  config.v6_48_rate = 1;
  config.v6_48_burst = 20;
  KeyGate gate(config, 10'000);
  std::size_t admitted = 0;
  for (int i = 0; i < 100; ++i) {
    const IpAddress from = ip("2001:db8:0:" + std::to_string(1000 + i) + "::1");
    if (gate.admit(from, kStart) == Admission::kYes) ++admitted;
  }
  EXPECT_EQ(admitted, 20U);
}

TEST(KeyGate, other_limits_know_the_connections_from_before) {
  config::NtsLimitsConfig none = few();
  none.v4_32_connections = 0;
  none.v4_24_connections = 0;
  KeyGate gate(none, 1000);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kYes);
  gate.set(few());
  EXPECT_EQ(gate.admit(ip("192.0.2.1"), kStart), Admission::kNetworkFull);
  for (int i = 0; i < 4; ++i) gate.leave(ip("192.0.2.1"));
  EXPECT_EQ(gate.open(), 0U);
}

}  // namespace
}  // namespace timepool::ntpd
