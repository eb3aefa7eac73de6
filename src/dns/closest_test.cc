// Regions, groups of them and the closest servers, from the labels of a zone to its answers.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "dns/testing.h"

namespace timepool::dns {
namespace {

// Places in cells of their own: de in Berlin, us in California and in New York, au in Sydney.
GeoTable places() {
  struct Place {
    const char* prefix;
    const char* region;
    double latitude, longitude;
  };
  const Place items[] = {{"198.18.0.0/16", "de-be", 52.5, 13.4},
                         {"198.19.0.0/17", "us-ca", 37.4, -122.1},
                         {"198.19.128.0/17", "us-ny", 40.7, -74.0},
                         {"203.0.113.0/24", "au-nsw", -33.9, 151.2},
                         {"192.0.2.0/24", "fr-idf", 48.9, 2.3}};
  std::vector<PrefixValue<V4Key>> country, region, position;
  for (const Place& it : items) {
    const Prefix prefix = parse_prefix(it.prefix).value();
    const V4Key base = v4_key(prefix.base());
    const auto code = RegionCode::from_text(it.region);
    country.push_back({base, prefix.length(), code.country().bits()});
    region.push_back({base, prefix.length(), code.bits()});
    position.push_back(
        {base, prefix.length(), GeoPosition::from_degrees(it.latitude, it.longitude).bits()});
  }
  GeoTable out;
  out.country4 = Runs<V4Key>::flatten(country);
  out.region4 = Runs<V4Key>::flatten(region);
  out.position4 = Runs<V4Key>::flatten(position);
  return out;
}

std::shared_ptr<const CompiledZones> compile(const std::string& json, const GeoTable& geo) {
  auto zone = load_zone(json, "pool.test", 1);
  EXPECT_TRUE(zone.ok());
  const Zone* zones[] = {&zone.value()};
  ClassCache cache;
  auto out = CompiledZones::compile(zones, geo, cache);
  EXPECT_TRUE(out.ok());
  return std::move(out).value();
}

// The addresses that `client` is ever given, each by its end.
std::set<std::string> given(const CompiledZones& zones, const std::string& client,
                            const char* name = "pool.test.") {
  std::set<std::string> out;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    for (const std::string& line : testing::ask(zones, {name}, client, false, seed).answers()) {
      out.insert(line.substr(line.rfind(' ') + 1));
    }
  }
  return out;
}
using Set = std::set<std::string>;

TEST(Regions, are_asked_before_their_group_and_that_before_the_country) {
  const auto zones = compile(R"({"targeting": "@ continent country regiongroup region",
    "data": {"": {"a": [["10.0.0.1"]]}, "us": {"a": [["10.0.0.2"]]},
             "us-west": {"a": [["10.0.0.3"]]}, "us-ny": {"a": [["10.0.0.4"]]},
             "www.us-ca": {"a": [["10.0.0.5"]]}, "www": {"a": [["10.0.0.6"]]}}})",
                             places());
  EXPECT_EQ(given(*zones, "198.18.0.1"), Set{"10.0.0.1"});
  EXPECT_EQ(given(*zones, "198.19.0.1"), Set{"10.0.0.3"});
  EXPECT_EQ(given(*zones, "198.19.128.1"), Set{"10.0.0.4"});
  EXPECT_EQ(given(*zones, "198.19.0.1", "www.pool.test."), Set{"10.0.0.5"});
  EXPECT_EQ(given(*zones, "198.19.128.1", "www.pool.test."), Set{"10.0.0.6"});
}

TEST(Regions, count_only_where_the_zone_targets_them) {
  const auto zones = compile(R"({"data": {"": {"a": [["10.0.0.1"]]},
    "us-west": {"a": [["10.0.0.3"]]}, "us-ny": {"a": [["10.0.0.4"]]}}})",
                             places());
  EXPECT_EQ(given(*zones, "198.19.0.1"), Set{"10.0.0.1"});
  EXPECT_EQ(given(*zones, "198.19.128.1"), Set{"10.0.0.1"});
}

constexpr const char* kServers = R"("a": [["198.18.0.10", 10], ["198.18.0.11", 10],
    ["198.19.0.10", 10], ["198.19.128.10", 10], ["203.0.113.10", 1000], ["10.0.0.1", 1000]])";

TEST(Closest, gives_the_servers_near_the_client) {
  const auto zones = compile(std::string(R"({"closest": true, "max_hosts": 1,
    "data": {"": {)") + kServers +
                                 "}}}",
                             places());
  // Both of Berlin are as near.
  EXPECT_EQ(given(*zones, "198.18.0.1"), (Set{"198.18.0.10", "198.18.0.11"}));
  EXPECT_EQ(given(*zones, "192.0.2.1"), (Set{"198.18.0.10", "198.18.0.11"}));
  EXPECT_EQ(given(*zones, "198.19.0.1"), (Set{"198.19.0.10"}));
  EXPECT_EQ(given(*zones, "203.0.113.1"), (Set{"203.0.113.10"}));
  // Of whom nothing is known: by weight.
  EXPECT_TRUE(given(*zones, "100.64.0.1").contains("10.0.0.1"));
}

TEST(Closest, gives_nobody_any_where_none_may_be_taken) {
  const auto zones = compile(std::string(R"({"closest": true, "max_hosts": 0, "data": {"": {)") +
                                 kServers + R"(}, "one": {"max_hosts": 1, )" + kServers + "}}}",
                             places());
  for (const char* client : {"198.18.0.1", "198.19.0.1", "100.64.0.1"}) {
    EXPECT_EQ(given(*zones, client), Set{});
  }
  EXPECT_EQ(given(*zones, "203.0.113.1", "one.pool.test."), (Set{"203.0.113.10"}));
}

TEST(Closest, takes_the_next_ones_when_more_are_wanted) {
  const auto zones =
      compile(std::string(R"({"data": {"near": {"closest": true, "max_hosts": 3, )") + kServers +
                  R"(}, "far": {)" + kServers + "}}}",
              places());
  EXPECT_EQ(given(*zones, "198.19.0.1", "near.pool.test."),
            (Set{"198.19.0.10", "198.19.128.10", "198.18.0.10", "198.18.0.11"}));
  EXPECT_TRUE(given(*zones, "198.19.0.1", "far.pool.test.").contains("203.0.113.10"));
}

TEST(Closest, scopes_are_those_of_the_cells) {
  const auto zones = compile(std::string(R"({"closest": true, "max_hosts": 1,
    "data": {"": {)") + kServers +
                                 R"(}, "all": {"a": [["10.0.0.1"]]}}})",
                             places());
  EXPECT_EQ(testing::ask(*zones, {.name = "pool.test.", .subnet = "198.19.0.0/24"}).scope(), 17);
  EXPECT_EQ(testing::ask(*zones, {.name = "all.pool.test.", .subnet = "198.19.0.0/24"}).scope(), 0);
}

TEST(Closest, cells_grow_where_classes_would_be_too_many) {
  // A position for each of 70,000 networks, all in different cells of a degree or in few of 30.
  std::vector<PrefixValue<V4Key>> position;
  for (std::uint32_t i = 0; i < 70'000; ++i) {
    const double latitude = static_cast<double>(i / 360 % 180) - 89.5;
    const double longitude = static_cast<double>(i % 360) - 179.5;
    position.push_back({i << 8, 24, GeoPosition::from_degrees(latitude, longitude).bits()});
  }
  GeoTable geo;
  geo.position4 = Runs<V4Key>::flatten(position);
  std::vector<PrefixValue<V4Key>> country;
  for (std::uint32_t i = 0; i < 2; ++i) {
    country.push_back({i << 23, 9, CountryCode::from_text(i == 0 ? "de" : "us").bits()});
  }
  geo.country4 = Runs<V4Key>::flatten(country);
  TargetUse use;
  use.positions = true;
  use.countries = {CountryCode::from_text("de"), CountryCode::from_text("us")};
  const auto table = ClassTable::build(geo, use);
  ASSERT_NE(table, nullptr);
  EXPECT_LE(table->classes().size(), ClassTable::kMaxClasses);
  EXPECT_EQ(table->cell_degrees(), 2);
  use.positions = false;
  EXPECT_EQ(ClassTable::build(geo, use)->classes().size(), 3U);
}

}  // namespace
}  // namespace timepool::dns
