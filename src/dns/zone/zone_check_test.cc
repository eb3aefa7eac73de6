#include "dns/zone/zone_check.h"

#include <gtest/gtest.h>

namespace timepool::dns {
namespace {

Label label(std::string name, std::optional<std::string> alias) {
  Label out;
  out.name = std::move(name);
  out.alias = std::move(alias);
  return out;
}

std::string fault(std::vector<Label> labels) {
  Zone zone;
  zone.targeting = {true, true, true, true, true};
  zone.labels = std::move(labels);
  const auto out = find_fault(zone);
  return out ? out->label + ": " + out->text : "";
}

TEST(ZoneCheck, aliases_in_a_circle_are_named) {
  EXPECT_EQ(fault({label("a", "b"), label("b", "c"), label("c", "a")}),
            "a: alias leads in a circle: a, b, c, a");
  EXPECT_EQ(fault({label("a", "a")}), "a: alias leads in a circle: a, a");
  EXPECT_EQ(fault({label("", "a"), label("a", "")}), ": alias leads in a circle: @, a, @");
  EXPECT_EQ(fault({label("x", "a"), label("a", "b"), label("b", "a")}),
            "a: alias leads in a circle: a, b, a");
}

TEST(ZoneCheck, circles_that_only_some_clients_are_led_in) {
  EXPECT_EQ(fault({label("a.us", "b"), label("b.us", "a")}),
            "a.us: alias leads in a circle: a.us, b.us, a.us");
  EXPECT_EQ(fault({label("a.us", "b"), label("b", "a")}),
            "a.us: alias leads in a circle: a.us, b, a.us");
  EXPECT_NE(fault({label("a.us", "b"), label("b.north-america", "a")}), "");
  EXPECT_NE(fault({label("a.uk", "b"), label("b.gb", "a")}), "");
  EXPECT_NE(fault({label("a.as64500", "b"), label("b.as64500", "a")}), "");
}

TEST(ZoneCheck, nobody_is_in_two_countries) {
  EXPECT_EQ(fault({label("a.us", "b"), label("b.de", "a")}), "");
  EXPECT_EQ(fault({label("a.us", "b"), label("b.europe", "a")}), "");
  EXPECT_EQ(fault({label("a.as64500", "b"), label("b.as64501", "a")}), "");
}

TEST(ZoneCheck, chains_have_a_limit) {
  const auto chain = [](int length) {
    std::vector<Label> out;
    for (int i = 0; i < length; ++i) {
      out.push_back(label("l" + std::to_string(i), "l" + std::to_string(i + 1)));
    }
    return out;
  };
  EXPECT_EQ(fault(chain(kMaxAliases)), "");
  EXPECT_NE(fault(chain(kMaxAliases + 1)), "");
  EXPECT_NE(fault(chain(100'000)), "") << "and no stack is used up";
  // Longest first seen from its end: what is known of the rest counts.
  auto late = chain(kMaxAliases);
  late.push_back(label("z", "l0"));
  EXPECT_NE(fault(std::move(late)), "");
}

TEST(ZoneCheck, many_ways_to_one_end_are_walked_once) {
  // Two aliases at each of eight names: 2^8 ways, for each of 200 starts.
  std::vector<Label> labels;
  for (int i = 0; i < kMaxAliases - 1; ++i) {
    const std::string to = "n" + std::to_string(i + 1);
    labels.push_back(label("n" + std::to_string(i), to));
    labels.push_back(label("n" + std::to_string(i) + ".us", to));
    labels.push_back(label("n" + std::to_string(i) + ".north-america", to));
  }
  for (int i = 0; i < 200; ++i) labels.push_back(label("s" + std::to_string(i), "n0"));
  EXPECT_EQ(fault(std::move(labels)), "");
}

TEST(ZoneCheck, RFC2181_5_a_record_that_is_there_twice_is_one_with_the_weight_of_both) {
  const auto zone = load_zone(R"({"data": {"": {"txt": ["a", "b", "a"],
      "a": [["10.0.0.1", 3], ["10.0.0.2", 1], ["10.0.0.1", 4], ["10.0.0.3", 4294967295],
            ["10.0.0.2", 0], ["10.0.0.3", 1]]}}})",
                              "p.test", 1);
  ASSERT_TRUE(zone.ok());
  const RecordSet* set = zone->labels[0].find(wire::dns::RrType::kA);
  ASSERT_NE(set, nullptr);
  std::vector<std::uint32_t> weights;
  for (const ZoneRecord& record : set->records) weights.push_back(record.weight);
  EXPECT_EQ(weights, (std::vector<std::uint32_t>{7, 1, 4294967295}));
  EXPECT_EQ(zone->labels[0].find(wire::dns::RrType::kTxt)->records.size(), 2U);
}

TEST(ZoneCheck, name_servers_at_a_wildcard_are_refused) {
  Label wild = label("*.a", std::nullopt);
  wild.sets.push_back({wire::dns::RrType::kNs, {{{std::byte{0}}, 0}}});
  EXPECT_NE(fault({wild}), "");
}

}  // namespace
}  // namespace timepool::dns
