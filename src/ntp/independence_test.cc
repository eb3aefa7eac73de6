#include "ntp/independence.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::ntp {
namespace {

using wire::ntp::ReferenceId;

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
ServerIdentity silent(const char* address) {
  return {ip(address), false, 0, {}, {}};
}
ServerIdentity server(const char* address, std::uint8_t stratum, ReferenceId reference,
                      std::uint64_t set_at = 0) {
  return {ip(address), true, stratum, reference, NtpTimestamp::from_bits(set_at)};
}
ReferenceId follows(const char* address) {
  return ReferenceId::of_address(ip(address));
}

TEST(Independence, B3_two_addresses_of_one_24_or_48_depend_on_each_other) {
  EXPECT_EQ(dependence(silent("192.0.2.1"), silent("192.0.2.200")), Dependence::kSameNetwork);
  EXPECT_EQ(dependence(silent("192.0.2.1"), silent("192.0.3.1")), Dependence::kNone);
  EXPECT_EQ(dependence(silent("2001:db8:1::1"), silent("2001:db8:1:9::1")),
            Dependence::kSameNetwork);
  EXPECT_EQ(dependence(silent("2001:db8:1::1"), silent("2001:db8:2::1")), Dependence::kNone);
  EXPECT_EQ(dependence(silent("192.0.2.1"), silent("::ffff:192.0.2.1")), Dependence::kSameAddress);
}

TEST(Independence, B3_two_that_follow_one_server_depend_on_each_other) {
  const auto a = server("192.0.2.1", 2, follows("203.0.113.7"));
  const auto b = server("198.51.100.1", 2, follows("203.0.113.7"));
  EXPECT_EQ(dependence(a, b), Dependence::kSameUpstream);
  EXPECT_EQ(dependence(a, server("198.51.100.1", 3, follows("203.0.113.8"))), Dependence::kNone);
}

TEST(Independence, two_clocks_of_one_kind_are_not_one_clock) {
  const ReferenceId gps = ReferenceId::from_text("GPS");
  EXPECT_EQ(dependence(server("192.0.2.1", 1, gps), server("198.51.100.1", 1, gps)),
            Dependence::kNone);
}

TEST(Independence, an_unknown_reference_is_not_a_common_one) {
  EXPECT_EQ(dependence(server("192.0.2.1", 2, {}), server("198.51.100.1", 2, {})),
            Dependence::kNone);
  EXPECT_EQ(dependence(server("192.0.2.1", 2, follows("127.0.0.1")),
                       server("198.51.100.1", 2, follows("127.0.0.1"))),
            Dependence::kNone);
}

TEST(Independence, one_that_follows_the_other_adds_nothing) {
  const auto leader = server("203.0.113.7", 1, ReferenceId::from_text("PPS"));
  EXPECT_EQ(dependence(server("192.0.2.1", 2, follows("203.0.113.7")), leader),
            Dependence::kFollows);
  EXPECT_EQ(dependence(leader, server("192.0.2.1", 2, follows("203.0.113.7"))),
            Dependence::kFollows);
  const auto leader6 = server("2001:db8::7", 1, ReferenceId::from_text("PPS"));
  EXPECT_EQ(dependence(server("192.0.2.1", 2, follows("2001:db8::7")), leader6),
            Dependence::kFollows);
}

TEST(Independence, two_addresses_with_one_clocks_state_are_one_host) {
  const auto v4 = server("192.0.2.1", 2, follows("203.0.113.7"), 0x1234567890abcdef);
  const auto v6 = server("2001:db8::1", 2, follows("203.0.113.7"), 0x1234567890abcdef);
  EXPECT_EQ(dependence(v4, v6), Dependence::kSameHost);
  const auto later = server("2001:db8::1", 2, follows("203.0.113.7"), 0x1234567890abcdf0);
  EXPECT_EQ(dependence(v4, later), Dependence::kSameUpstream);
}

TEST(Independence, the_least_dependent_address_is_taken_next) {
  const std::vector<ServerIdentity> in_use{silent("192.0.2.1"), silent("198.51.100.1"),
                                           server("203.0.113.1", 2, follows("233.252.0.9"))};
  const std::vector<IpAddress> choices{ip("192.0.2.1"), ip("192.0.2.2"), ip("233.252.0.9"),
                                       ip("233.252.1.1"), ip("233.252.2.1")};
  EXPECT_EQ(most_independent(choices, in_use), 3u);
  EXPECT_EQ(most_independent(std::span(choices).first(3), in_use), 2u) << "followed is less bad";
  EXPECT_EQ(most_independent(std::span(choices).first(2), in_use), 1u) << "nothing else is left";
  EXPECT_EQ(most_independent(std::span(choices).first(1), in_use), std::nullopt);
  EXPECT_EQ(most_independent({}, in_use), std::nullopt);
}

TEST(Independence, the_later_of_the_worst_pair_is_given_up_unless_it_is_to_be_kept) {
  std::vector<DiverseMember> members{{server("192.0.2.1", 2, follows("203.0.113.7"))},
                                     {server("198.51.100.1", 2, follows("203.0.113.7"))},
                                     {silent("233.252.0.1")},
                                     {silent("233.252.0.2")}};
  auto found = most_redundant(members);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->index, 3u);
  EXPECT_EQ(found->other, 2u);
  EXPECT_EQ(found->dependence, Dependence::kSameNetwork);
  members[3].keep = true;
  EXPECT_EQ(most_redundant(members)->index, 2u);
  members[2].keep = true;
  EXPECT_EQ(most_redundant(members)->index, 1u) << "the two that are kept are left as they are";
  EXPECT_EQ(most_redundant(std::span(members).first(1)), std::nullopt);
}

TEST(Independence, every_kind_has_a_name_of_its_own) {
  EXPECT_EQ(name_of(Dependence::kNone), "none");
  EXPECT_EQ(name_of(Dependence::kSameAddress), "same_address");
  EXPECT_EQ(name_of(Dependence::kSameUpstream), "same_upstream");
}

}  // namespace
}  // namespace timepool::ntp
