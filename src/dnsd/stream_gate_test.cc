#include "dnsd/stream_gate.h"

#include <gtest/gtest.h>

namespace timepool::dnsd {
namespace {

config::DnsdConnectionsConfig limits(unsigned all, unsigned client, unsigned network) {
  config::DnsdConnectionsConfig out;
  out.max_connections = all;
  out.max_per_client = client;
  out.max_per_network = network;
  out.idle_timeout = Duration::seconds(10);
  return out;
}

IpAddress at(const char* text) {
  return parse_ip(text).value();
}

TEST(StreamGate, counts_all_by_client_and_by_network) {
  StreamGate gate(limits(5, 2, 3), 1000);
  EXPECT_EQ(gate.admit(at("192.0.2.1")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("192.0.2.1")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("192.0.2.1")), Admitted::kTooManyClient);
  EXPECT_EQ(gate.admit(at("192.0.2.2")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("192.0.2.3")), Admitted::kTooManyNetwork);
  EXPECT_EQ(gate.admit(at("192.0.3.3")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("198.51.100.1")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("203.0.113.1")), Admitted::kFull);
  EXPECT_EQ(gate.open(), 5U);
  gate.leave(at("192.0.2.1"));
  EXPECT_EQ(gate.admit(at("203.0.113.1")), Admitted::kYes);
}

TEST(StreamGate, takes_64_bits_of_ipv6_for_a_client_and_48_for_a_network) {
  StreamGate gate(limits(100, 1, 2), 1000);
  EXPECT_EQ(gate.admit(at("2001:db8:1:1::1")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("2001:db8:1:1:2:3:4:5")), Admitted::kTooManyClient);
  EXPECT_EQ(gate.admit(at("2001:db8:1:2::1")), Admitted::kYes);
  EXPECT_EQ(gate.admit(at("2001:db8:1:3::1")), Admitted::kTooManyNetwork);
  EXPECT_EQ(gate.admit(at("2001:db8:2:3::1")), Admitted::kYes);
}

TEST(StreamGate, shortens_the_idle_time_above_half_of_the_limit) {
  StreamGate gate(limits(100, 1000, 1000), 1000);
  const auto fill = [&](std::size_t count) {
    while (gate.open() < count) ASSERT_EQ(gate.admit(at("192.0.2.1")), Admitted::kYes);
  };
  EXPECT_EQ(gate.idle_limit(), Duration::seconds(10));
  fill(50);
  EXPECT_EQ(gate.idle_limit(), Duration::seconds(10));
  fill(75);
  EXPECT_EQ(gate.idle_limit(), Duration::milliseconds(5500));
  fill(100);
  EXPECT_EQ(gate.idle_limit(), Duration::seconds(1));
}

TEST(StreamGate, keeps_to_what_descriptors_allow) {
  StreamGate gate(limits(100, 1000, 1000), 2);
  EXPECT_EQ(gate.limit(), 2U);
  gate.set(limits(1, 1000, 1000));
  EXPECT_EQ(gate.limit(), 1U);
}

}  // namespace
}  // namespace timepool::dnsd
