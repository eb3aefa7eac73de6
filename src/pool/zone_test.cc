#include "pool/zone.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "pool/assignment.h"

namespace timepool::pool {
namespace {

Candidate server(std::uint32_t host, const std::string& country = "de",
                 const std::string& continent = "europe") {
  Candidate out;
  out.address = IpAddress::v4(0xc6336400u + host);
  out.country = country;
  out.continent = continent;
  out.netspeed = 1000;
  out.in_pool = true;
  out.score = 20;
  return out;
}
Candidate server6(std::uint8_t host) {
  Candidate out = server(0);
  std::vector<std::byte> bytes(16);
  bytes[0] = std::byte{0x2a};
  bytes[15] = std::byte{host};
  out.address = IpAddress::from_bytes(bytes);
  return out;
}
std::vector<Candidate> servers(std::uint32_t count) {
  std::vector<Candidate> out;
  for (std::uint32_t i = 1; i <= count; ++i) out.push_back(server(i));
  return out;
}
ZoneSettings settings() {
  ZoneSettings out;
  out.name_servers = {"ns1.pool.test"};
  out.hosts = {{"ns1", {IpAddress::v4(0x7f000001)}}};
  return out;
}

TEST(Zone, includes_only_servers_with_score_netspeed_and_the_owners_wish) {
  Candidate one = server(1);
  EXPECT_EQ(inclusion_of(one, settings()), Inclusion::kIncluded);
  one.score = 9.999;
  EXPECT_EQ(inclusion_of(one, settings()), Inclusion::kLowScore);
  one.score = 10;
  EXPECT_EQ(inclusion_of(one, settings()), Inclusion::kIncluded);
  one.netspeed = 0;
  EXPECT_EQ(inclusion_of(one, settings()), Inclusion::kNoNetspeed);
  one.in_pool = false;
  EXPECT_EQ(inclusion_of(one, settings()), Inclusion::kNotInPool);
  EXPECT_TRUE(build_zone({&one, 1}, settings()).labels[""].a.empty());
}

TEST(Zone, puts_a_server_under_country_continent_and_global_with_all_numbers) {
  const std::vector<Candidate> all{server(1), server6(1)};
  const Zone zone = build_zone(all, settings());
  for (const std::string label : {"", "de", "europe"}) {
    for (const std::string number : {"", "0", "1", "2", "3"}) {
      const std::string dot = number.empty() || label.empty() ? "" : ".";
      const auto found = zone.labels.find(number + dot + label);
      ASSERT_NE(found, zone.labels.end()) << number + dot + label;
      EXPECT_EQ(found->second.a, (std::vector<WeightedAddress>{{all[0].address, 1000}}));
      EXPECT_EQ(found->second.aaaa, (std::vector<WeightedAddress>{{all[1].address, 1000}}));
    }
  }
}

TEST(Zone, seven_servers_are_in_every_number_and_eight_are_split) {
  for (const auto& [label, entry] : build_zone(servers(7), settings()).labels) {
    if (label != "ns1") {
      EXPECT_EQ(entry.a.size(), 7u) << label;
    }
  }
  const Zone zone = build_zone(servers(8), settings());
  std::set<IpAddress> seen;
  for (const std::string number : {"0.de", "1.de", "2.de", "3.de"}) {
    EXPECT_EQ(zone.labels.at(number).a.size(), 2u);
    for (const WeightedAddress& entry : zone.labels.at(number).a) seen.insert(entry.address);
  }
  EXPECT_EQ(seen.size(), 8u);
}

TEST(Zone, british_servers_stand_under_uk_and_gb_is_an_alias) {
  const Candidate one = server(1, "gb");
  const Zone zone = build_zone({&one, 1}, settings());
  EXPECT_EQ(zone.labels.at("uk").a.size(), 1u);
  EXPECT_EQ(zone.labels.at("gb").alias, "uk");
  EXPECT_EQ(zone.labels.at("3.gb").alias, "3.uk");
  EXPECT_EQ(zones_of(one), (std::vector<std::string>{"uk", "europe", "@"}));
}

TEST(Zone, server_without_a_country_is_only_global) {
  const Candidate one = server(1, "", "");
  const Zone zone = build_zone({&one, 1}, settings());
  EXPECT_EQ(zone.labels.size(), 6u);  // "", "0".."3", "ns1"
}

TEST(Zone, json_is_geodns_format) {
  const Candidate one = server(1, "", "");
  ZoneSettings set = settings();
  set.contact = "time\"keeper.pool.test";
  const std::string a = R"("a":[["198.51.100.1",1000]])";
  EXPECT_EQ(to_geodns_json(build_zone({&one, 1}, set), 42),
            R"({"serial":42,"ttl":150,"negative_ttl":60,"max_hosts":4,)"
            R"("contact":"time\"keeper.pool.test",)"
            R"("targeting":"@ continent country","data":{"":{)" +
                a + R"(,"ns":["ns1.pool.test."]},"0":{)" + a + R"(},"1":{)" + a + R"(},"2":{)" + a +
                R"(},"3":{)" + a + R"(},"ns1":{"a":[["127.0.0.1",1]]}}})");
}

TEST(Zone, json_of_an_empty_pool_still_has_its_name_servers) {
  EXPECT_EQ(to_geodns_json(build_zone({}, settings()), 1),
            R"({"serial":1,"ttl":150,"negative_ttl":60,"max_hosts":4,)"
            R"("contact":"hostmaster.pool.test",)"
            R"("targeting":"@ continent country","data":{"":{"ns":["ns1.pool.test."]},)"
            R"("ns1":{"a":[["127.0.0.1",1]]}}})");
}

RC_GTEST_PROP(Split, groups_are_disjoint_complete_and_even, ()) {
  const auto count = *rc::gen::inRange<std::uint32_t>(0, 200);
  const auto first = *rc::gen::arbitrary<std::uint32_t>();
  std::vector<WeightedAddress> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back({IpAddress::v4(first + i), i});
  const auto groups = split_numbered("de", all);
  RC_ASSERT(groups.size() == std::size_t{kNumberedNames});
  std::set<IpAddress> seen;
  for (const auto& group : groups) {
    RC_ASSERT(group.size() >= count / 4);
    RC_ASSERT(group.size() <= count / 4 + 1);
    for (const WeightedAddress& entry : group) RC_ASSERT(seen.insert(entry.address).second);
  }
  RC_ASSERT(seen.size() == count);
}

TEST(Split, does_not_depend_on_the_order_of_the_servers) {
  std::vector<WeightedAddress> all;
  for (std::uint32_t i = 0; i < 50; ++i) all.push_back({IpAddress::v4(0x08080000u + i), 1});
  const auto groups = split_numbered("de", all);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(split_numbered("de", all), groups);
}

TEST(Split, one_server_leaving_moves_few_of_the_others) {
  Prng random(7);
  double moved = 0;
  constexpr int kRounds = 100;
  constexpr std::size_t kServers = 100;
  for (int round = 0; round < kRounds; ++round) {
    std::set<IpAddress> addresses;
    while (addresses.size() < kServers) {
      addresses.insert(IpAddress::v4(static_cast<std::uint32_t>(random.next())));
    }
    std::vector<WeightedAddress> all;
    for (const IpAddress& address : addresses) all.push_back({address, 1});
    const auto before = split_numbered("de", all);
    const WeightedAddress gone = all[random.below(all.size())];
    std::erase(all, gone);
    const auto after = split_numbered("de", all);
    for (std::size_t i = 0; i < before.size(); ++i) {
      for (const WeightedAddress& entry : before[i]) {
        const bool stayed = std::find(after[i].begin(), after[i].end(), entry) != after[i].end();
        if (entry != gone && !stayed) ++moved;
      }
    }
  }
  // Dealt anew, three quarters of them would move.
  EXPECT_LT(moved / kRounds / (kServers - 1), 0.1);
}

TEST(Assignment, every_active_monitor_checks_every_server) {
  const std::vector<std::int64_t> pool_servers{2, 1};
  const std::vector<std::int64_t> monitors{7, 8};
  const auto pairs = assign(pool_servers, monitors);
  ASSERT_EQ(pairs.size(), 4u);
  EXPECT_EQ(pairs[0], (Assignment{1, 7, MonitorRole::kActive}));
  EXPECT_EQ(pairs[3], (Assignment{2, 8, MonitorRole::kActive}));
}

}  // namespace
}  // namespace timepool::pool
