#include "dns/zone/health.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace timepool::dns {
namespace {

using wire::dns::RrType;

constexpr std::string_view kZone = R"({"data": {
  "": {"health": {"type": "tcp", "name": "web"},
       "a": [["192.0.2.1", 1], ["192.0.2.2", 1], {"ip": "192.0.2.3", "health": "other/x"}],
       "aaaa": [["2001:db8::1", 1]], "txt": "t",
       "mx": [{"mx": "mx1.example"}, {"mx": "mx2.example"}]},
  "plain": {"a": [{"ip": "192.0.2.1", "health": "other/x"}]}}})";

HealthFiles files(std::string_view web, std::string_view other) {
  HealthFiles out;
  out["web"] = std::make_shared<const HealthFile>(load_health(web).value());
  out["other"] = std::make_shared<const HealthFile>(load_health(other).value());
  return out;
}

TEST(Health, leaves_out_what_is_not_healthy) {
  const Zone zone = load_zone(kZone, "pool.test", 1).value();
  ASSERT_TRUE(has_tests(zone));
  const Zone part = healthy_part(
      zone, files(R"({"192.0.2.1": 2, "192.0.2.2": 1, "mx2.example.": 2})", R"({"x": 2})"));
  EXPECT_FALSE(has_tests(part));
  const Label* apex = part.find("");
  ASSERT_EQ(apex->find(RrType::kA)->records.size(), 2U);
  EXPECT_EQ(to_hex(apex->find(RrType::kA)->records[0].rdata), "c0000201");
  EXPECT_EQ(to_hex(apex->find(RrType::kA)->records[1].rdata), "c0000203");
  // Unknown is not healthy; nothing is left of the type.
  EXPECT_EQ(apex->find(RrType::kAaaa), nullptr);
  EXPECT_EQ(apex->find(RrType::kMx)->records.size(), 1U);
  EXPECT_EQ(apex->find(RrType::kTxt)->records.size(), 1U);
  // geodns: a record's test counts only in a label with one.
  EXPECT_EQ(part.find("plain")->find(RrType::kA)->records.size(), 1U);
}

TEST(Health, without_its_file_nothing_is_healthy) {
  const Zone zone = load_zone(kZone, "pool.test", 1).value();
  const Zone part = healthy_part(zone, {});
  EXPECT_EQ(part.find("")->find(RrType::kA), nullptr);
  EXPECT_EQ(part.find("plain")->find(RrType::kA)->records.size(), 1U);
}

TEST(Health, refuses_a_file_that_is_none) {
  EXPECT_EQ(format(load_health("{\"a\": 1,\n}").error(), "h").substr(0, 10), "h:2:1: JSO");
  EXPECT_EQ(format(load_health("{\"a\": 1,\n \"b\": []}").error(), "h"),
            "h:2:7: b: must be a number");
  EXPECT_FALSE(load_health("[]").ok());
  EXPECT_TRUE(load_health("{}").ok());
}

}  // namespace
}  // namespace timepool::dns
