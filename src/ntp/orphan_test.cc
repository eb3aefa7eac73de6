#include "ntp/orphan.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace timepool::ntp {
namespace {

IpAddress ip(std::string_view text) {
  return parse_ip(text).value();
}

TEST(Orphan, the_smallest_reference_id_leads) {
  const std::array<OrphanClaim, 3> claims{{{4, 30, 40}, {7, 20, 40}, {2, 35, 40}}};
  EXPECT_EQ(leading_orphan(claims), 7u);
}

TEST(Orphan, nobody_is_followed_when_our_own_id_is_the_smallest) {
  const std::array<OrphanClaim, 2> claims{{{0, 30, 10}, {1, 20, 10}}};
  EXPECT_EQ(leading_orphan(claims), std::nullopt);
  EXPECT_EQ(leading_orphan({}), std::nullopt);
}

TEST(Orphan, an_island_has_one_leader_whoever_is_left_of_it) {
  // Each subset of eight servers, each of which hears all the others.
  for (unsigned alive = 1; alive < 256; ++alive) {
    int leaders = 0;
    std::size_t followed = 256;
    for (unsigned self = 0; self < 8; ++self) {
      if ((alive >> self & 1) == 0) continue;
      std::vector<OrphanClaim> claims;
      for (unsigned other = 0; other < 8; ++other) {
        if (other != self && (alive >> other & 1) != 0) claims.push_back({other, other, self});
      }
      const auto leader = leading_orphan(claims);
      leaders += leader ? 0 : 1;
      if (!leader) continue;
      EXPECT_TRUE(followed == 256 || followed == *leader);
      followed = *leader;
    }
    EXPECT_EQ(leaders, 1) << alive;
  }
}

TEST(Orphan, our_name_is_that_of_our_address_in_the_servers_network) {
  const std::vector<IpAddress> own{ip("127.0.0.1"), ip("192.0.2.7"), ip("198.51.100.7"),
                                   ip("2001:db8::7")};
  EXPECT_EQ(own_id_towards(ip("198.51.100.1"), own),
            wire::ntp::ReferenceId::of_address(ip("198.51.100.7")));
  EXPECT_EQ(own_id_towards(ip("192.0.2.99"), own),
            wire::ntp::ReferenceId::of_address(ip("192.0.2.7")));
  EXPECT_EQ(own_id_towards(ip("2001:db8::1"), own),
            wire::ntp::ReferenceId::of_address(ip("2001:db8::7")));
  EXPECT_EQ(own_id_towards(ip("2001:db8::1"), std::vector<IpAddress>{ip("192.0.2.7")}),
            std::nullopt);
}

}  // namespace
}  // namespace timepool::ntp
