#include "dns/zone/position.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.h"
#include "dns/zone/region.h"

namespace timepool::dns {
namespace {

TEST(GeoPosition, keeps_a_tenth_of_a_degree) {
  for (const auto& [latitude, longitude] : {std::pair{52.52, 13.4},
                                            {-33.87, 151.21},
                                            {0.0, 0.0},
                                            {90.0, 180.0},
                                            {-90.0, -180.0},
                                            {89.99, 179.99}}) {
    const GeoPosition position = GeoPosition::from_degrees(latitude, longitude);
    ASSERT_TRUE(position.known());
    EXPECT_NEAR(position.latitude(), latitude, 0.051);
    const double turn = std::abs(position.longitude() - longitude);
    EXPECT_NEAR(std::min(turn, 360 - turn), 0, 0.051) << longitude;
    EXPECT_EQ(GeoPosition::from_bits(position.bits()), position);
  }
  EXPECT_FALSE(GeoPosition::from_degrees(90.1, 0).known());
  EXPECT_FALSE(GeoPosition::from_degrees(0, -180.1).known());
  EXPECT_FALSE(GeoPosition::from_degrees(0, 0.0 / 0.0).known());
  EXPECT_FALSE(GeoPosition().in_cell(1).known());
}

TEST(GeoPosition, is_cut_to_the_middle_of_a_cell) {
  const GeoPosition berlin = GeoPosition::from_degrees(52.52, 13.4);
  EXPECT_EQ(berlin.in_cell(1), GeoPosition::from_degrees(52.99, 13.01).in_cell(1));
  EXPECT_NE(berlin.in_cell(1), GeoPosition::from_degrees(53.01, 13.01).in_cell(1));
  EXPECT_NEAR(berlin.in_cell(1).latitude(), 52.5, 0.051);
  EXPECT_NEAR(berlin.in_cell(30).longitude(), 15, 0.051);
}

UnitVector at(double latitude, double longitude) {
  return unit_vector(GeoPosition::from_degrees(latitude, longitude));
}

TEST(Distance, is_the_angle_between_two_places) {
  EXPECT_NEAR(distance_degrees(at(0, 0), at(0, 90)), 90, 0.2);
  EXPECT_NEAR(distance_degrees(at(90, 0), at(-90, 0)), 180, 0.2);
  // Berlin to Sydney, 16,090 km of 111.2 km each.
  EXPECT_NEAR(distance_degrees(at(52.52, 13.4), at(-33.87, 151.21)), 144.8, 0.3);
  EXPECT_EQ(distance_degrees(at(0, 0), UnitVector()), 360);
}

TEST(Closest, takes_passes_of_five_percent) {
  // Degrees from the client: 10, 10.4, 10.6, 20, and one that is nowhere.
  const UnitVector servers[] = {at(0, 20), at(0, 10), UnitVector(), at(0, 10.4), at(0, 10.7)};
  const UnitVector client = at(0, 0);
  using Indexes = std::vector<std::uint32_t>;
  EXPECT_EQ(closest(client, servers, 1), (Indexes{1, 3}));
  EXPECT_EQ(closest(client, servers, 2), (Indexes{1, 3}));
  EXPECT_EQ(closest(client, servers, 3), (Indexes{1, 3, 4}));
  EXPECT_EQ(closest(client, servers, 4), (Indexes{0, 1, 3, 4}));
  EXPECT_EQ(closest(client, servers, 9), (Indexes{0, 1, 2, 3, 4}));
  EXPECT_TRUE(closest(client, {}, 2).empty());
}

// The passes as geodns writes them, one minimum after the other.
std::vector<std::uint32_t> by_passes(const UnitVector& client, std::span<const UnitVector> servers,
                                     std::size_t least) {
  std::vector<bool> chosen(servers.size());
  std::size_t count = 0;
  while (count < std::min(least, servers.size())) {
    double limit = 360;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      if (!chosen[i]) limit = std::min(limit, distance_degrees(client, servers[i]));
    }
    limit *= 1.05;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      if (chosen[i] || distance_degrees(client, servers[i]) > limit) continue;
      chosen[i] = true;
      ++count;
    }
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    if (chosen[i]) out.push_back(i);
  }
  return out;
}

TEST(Closest, agrees_with_passes_one_by_one_for_servers_anywhere) {
  Prng prng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<UnitVector> servers(prng.below(40));
    for (UnitVector& server : servers) {
      if (prng.below(10) == 0) continue;
      server =
          at(static_cast<double>(prng.below(180)) - 90, static_cast<double>(prng.below(360)) - 180);
    }
    const UnitVector client = at(static_cast<double>(prng.below(180)) - 90, 5);
    const std::size_t least = prng.below(6);
    EXPECT_EQ(closest(client, servers, least), by_passes(client, servers, least)) << round;
  }
}

TEST(Region, codes_and_groups) {
  for (const char* text : {"us-ca", "ru-mow", "de-by", "fr-75", "gb-eng", "at-9"}) {
    EXPECT_EQ(RegionCode::from_text(text).text(), text);
  }
  EXPECT_EQ(RegionCode::from_text("US-Ca").text(), "us-ca");
  for (const char* text : {"us", "us-", "us-cali", "u1-ca", "us_ca", "us-c.", ""}) {
    EXPECT_FALSE(RegionCode::from_text(text).known()) << text;
  }
  EXPECT_EQ(RegionCode::from_text("us-ca").country(), CountryCode::from_text("us"));
  EXPECT_EQ(name_of_group(group_of(RegionCode::from_text("us-ca"))), "us-west");
  EXPECT_EQ(name_of_group(group_of(RegionCode::from_text("us-tx"))), "us-central");
  EXPECT_EQ(name_of_group(group_of(RegionCode::from_text("us-de"))), "us-east");
  EXPECT_EQ(name_of_group(group_of(RegionCode::from_text("ru-mow"))), "ru-tfd");
  EXPECT_EQ(name_of_group(group_of(RegionCode::from_text("de-by"))), "");
  EXPECT_EQ(region_group_named("us-west"), group_of(RegionCode::from_text("us-wa")));
  EXPECT_EQ(region_group_named("us-north"), 0);
}

}  // namespace
}  // namespace timepool::dns
