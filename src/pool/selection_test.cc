#include "pool/selection.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "pool/country_place.h"

namespace timepool::pool {
namespace {

// A pool of servers by country, each in a network of its own.
class World {
 public:
  World& add(const std::string& country, const std::string& continent, std::uint32_t count,
             std::uint32_t netspeed = 10'000) {
    for (std::uint32_t i = 0; i < count; ++i) {
      Candidate next;
      next.address = IpAddress::v4(0x08000000u + (next_++ << 8));
      next.country = country;
      next.continent = continent;
      next.netspeed = netspeed;
      next.in_pool = true;
      next.score = 20;
      servers_.push_back(next);
    }
    return *this;
  }
  Choice choice() const {
    std::vector<const Candidate*> out;
    for (const Candidate& server : servers_) out.push_back(&server);
    return Choice(out);
  }
  std::vector<Candidate>& servers() { return servers_; }
  std::map<std::string, std::size_t> countries(const std::vector<Member>& members) const {
    std::map<std::string, std::size_t> out;
    for (const Member& member : members) {
      for (const Candidate& server : servers_) {
        if (server.address == member.address) ++out[server.country];
      }
    }
    return out;
  }

 private:
  std::uint32_t next_ = 0;
  std::vector<Candidate> servers_;
};

SelectionSettings settings(std::uint32_t servers, std::uint64_t capacity = 0) {
  SelectionSettings out;
  out.min_servers = servers;
  out.min_capacity = capacity;
  return out;
}

using Counts = std::map<std::string, std::size_t>;

TEST(CountryPlace, knows_neighbours_from_antipodes) {
  const auto distance = [](std::string_view a, std::string_view b) {
    return distance_km(place_of_country(a).value(), place_of_country(b).value());
  };
  EXPECT_EQ(distance("de", "de"), 0u);
  EXPECT_NEAR(distance("de", "pl"), 517, 120);  // Berlin to Warsaw
  EXPECT_NEAR(distance("nz", "es"), 19'600, 400);
  EXPECT_LT(distance("cm", "ng"), distance("cm", "de"));
  EXPECT_FALSE(place_of_country("zz").has_value());
  EXPECT_GT(countries_with_a_place().size(), 240u);
}

TEST(Selection, a_lone_server_of_a_country_gets_the_help_of_the_nearest_countries) {
  World world;
  world.add("cm", "africa", 1)
      .add("ng", "africa", 4)
      .add("za", "africa", 9)
      .add("de", "europe", 50);
  const auto members = world.choice().of_country("cm", settings(8));
  EXPECT_EQ(world.countries(members), (Counts{{"cm", 1}, {"ng", 4}, {"za", 3}}));
  EXPECT_EQ(std::count_if(members.begin(), members.end(), [](const Member& m) { return m.own; }),
            1);
}

TEST(Selection, a_country_with_enough_servers_and_capacity_stays_by_itself) {
  World world;
  world.add("de", "europe", 8).add("pl", "europe", 8);
  EXPECT_EQ(world.countries(world.choice().of_country("de", settings(8, 80'000))),
            (Counts{{"de", 8}}));
  // One kilobit more than its own have.
  EXPECT_EQ(world.countries(world.choice().of_country("de", settings(8, 80'001))),
            (Counts{{"de", 8}, {"pl", 1}}));
  EXPECT_EQ(world.countries(world.choice().of_country("de", settings(0, 0))), (Counts{{"de", 8}}));
}

TEST(Selection, a_country_without_servers_has_its_neighbours) {
  World world;
  world.add("at", "europe", 6).add("jp", "asia", 6);
  EXPECT_EQ(world.countries(world.choice().of_country("li", settings(4))), (Counts{{"at", 4}}));
}

TEST(Selection, countries_too_far_away_help_only_where_nobody_else_is) {
  World world;
  world.add("cl", "south-america", 2).add("jp", "asia", 6);
  EXPECT_EQ(world.countries(world.choice().of_country("cl", settings(4))), (Counts{{"cl", 2}}));
  World only;
  only.add("jp", "asia", 6);
  EXPECT_EQ(only.countries(only.choice().of_country("cl", settings(4))), (Counts{{"jp", 4}}));
}

TEST(Selection, a_continent_with_few_servers_is_filled_from_the_world) {
  World world;
  world.add("za", "africa", 2).add("de", "europe", 20);
  const auto members = world.choice().of_continent("africa", settings(6));
  EXPECT_EQ(world.countries(members), (Counts{{"de", 4}, {"za", 2}}));
  EXPECT_EQ(world.choice().of_continent("", settings(6)).size(), 22u);
}

TEST(Selection, filling_prefers_the_fast_in_proportion_to_their_netspeed) {
  // One of many names is filled by a server of nine times the speed about nine times as often.
  World world;
  world.add("de", "europe", 1, 90'000).add("de", "europe", 1, 10'000);
  const Choice choice = world.choice();
  std::size_t fast = 0;
  const auto names = countries_with_a_place();
  for (const std::string_view name : names) {
    if (name == "de") continue;
    const auto members = choice.of_country(name, settings(1));
    ASSERT_EQ(members.size(), 1u) << name;
    fast += members[0].address == world.servers()[0].address ? 1U : 0U;
  }
  EXPECT_NEAR(static_cast<double>(fast) / static_cast<double>(names.size()), 0.9, 0.06);
}

TEST(Selection, does_not_depend_on_the_order_of_the_servers) {
  World world;
  world.add("de", "europe", 30).add("fr", "europe", 30).add("be", "europe", 2);
  const auto before = world.choice().of_country("be", settings(10));
  std::reverse(world.servers().begin(), world.servers().end());
  EXPECT_EQ(world.choice().of_country("be", settings(10)), before);
}

TEST(Selection, a_filling_server_that_goes_is_replaced_by_one_and_no_other_moves) {
  World world;
  world.add("de", "europe", 30).add("be", "europe", 2);
  const auto before = world.choice().of_country("be", settings(10));
  const auto gone =
      std::find_if(before.begin(), before.end(), [](const Member& m) { return !m.own; });
  ASSERT_NE(gone, before.end());
  std::erase_if(world.servers(), [&](const Candidate& s) { return s.address == gone->address; });
  const auto after = world.choice().of_country("be", settings(10));
  ASSERT_EQ(after.size(), before.size());
  std::size_t kept = 0;
  for (const Member& member : after) {
    kept += std::count(before.begin(), before.end(), member) > 0 ? 1U : 0U;
  }
  EXPECT_EQ(kept, before.size() - 1);
}

double share_of(const std::vector<Member>& members, const std::set<IpAddress>& group) {
  double sum = 0;
  double part = 0;
  for (const Member& member : members) {
    sum += member.weight;
    if (group.contains(member.address)) part += member.weight;
  }
  return part / sum;
}

TEST(Selection, one_fast_server_has_no_more_than_its_share) {
  World world;
  world.add("us", "north-america", 1, 3'000'000).add("us", "north-america", 19, 10'000);
  SelectionSettings set = settings(0);
  const auto members = world.choice().of_country("us", set);
  EXPECT_NEAR(share_of(members, {world.servers()[0].address}), 0.25, 1e-3);
  // The others keep what their owners gave.
  EXPECT_EQ(std::count_if(members.begin(), members.end(),
                          [](const Member& m) { return m.weight == 10'000; }),
            19);
  set.max_server_share = 1;
  set.max_network_share = 1;
  set.max_asn_share = 1;
  set.max_account_share = 1;
  EXPECT_NEAR(share_of(world.choice().of_country("us", set), {world.servers()[0].address}),
              3.0 / 3.19, 1e-6);
}

TEST(Selection, caps_hold_for_an_account_a_system_and_a_network) {
  for (const int kind : {0, 1, 2}) {
    World world;
    world.add("us", "north-america", 10, 100'000).add("us", "north-america", 10, 10'000);
    std::set<IpAddress> group;
    for (std::uint32_t i = 0; i < 10; ++i) {
      Candidate& server = world.servers()[i];
      if (kind == 0) server.account = 7;
      if (kind == 1) server.asn = 64500;
      if (kind == 2) server.address = IpAddress::v4(0xc6336400u + i);
      group.insert(server.address);
    }
    const auto members = world.choice().of_country("us", settings(0));
    EXPECT_NEAR(share_of(members, group), kind == 2 ? 0.35 : 0.5, 1e-3) << kind;
  }
}

TEST(Selection, few_servers_are_not_capped_below_twice_an_even_share) {
  World world;
  world.add("is", "europe", 1, 900'000).add("is", "europe", 3, 10'000);
  const auto members = world.choice().of_country("is", settings(0));
  EXPECT_NEAR(share_of(members, {world.servers()[0].address}), 0.5, 1e-3);
}

RC_GTEST_PROP(CapShares, no_group_is_above_its_share_and_no_weight_rises, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 60);
  std::vector<double> before;
  std::vector<std::uint64_t> group;
  for (std::size_t i = 0; i < count; ++i) {
    before.push_back(*rc::gen::inRange<int>(1, 1'000'000));
    group.push_back(*rc::gen::inRange<std::uint64_t>(0, 12));
  }
  const double share = *rc::gen::inRange<int>(1, 100) / 100.0;
  std::vector<double> after = before;
  cap_shares(after, group, share);
  double sum = 0;
  std::map<std::uint64_t, double> sums;
  std::map<std::uint64_t, double> old_sums;
  std::size_t groups = 0;
  for (std::size_t i = 0; i < count; ++i) {
    RC_ASSERT(after[i] <= before[i] * (1 + 1e-12));
    sum += after[i];
    if (group[i] == 0) {
      RC_ASSERT(after[i] == before[i]);
      ++groups;
    } else {
      sums[group[i]] += after[i];
      old_sums[group[i]] += before[i];
    }
  }
  groups += sums.size();
  const double limit = std::max(share, 2.0 / static_cast<double>(groups));
  double largest = 0;
  for (const auto& [key, part] : sums) largest = std::max(largest, part);
  if (limit < 1) RC_ASSERT(largest <= limit * sum * (1 + 1e-6));
  // Only those at the limit were lowered.
  for (const auto& [key, part] : sums) {
    if (part < old_sums[key] * (1 - 1e-9)) RC_ASSERT(part >= largest * (1 - 1e-6));
  }
}

}  // namespace
}  // namespace timepool::pool
