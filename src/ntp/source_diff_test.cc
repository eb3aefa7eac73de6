#include "ntp/source_diff.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

SourceConfig server(const char* name, std::int8_t minpoll = 6) {
  SourceConfig out;
  out.name = name;
  out.poll.minpoll = minpoll;
  return out;
}

class SourceDiffTest : public testing::Test {
 protected:
  SourceId add(const SourceConfig& config) { return table_.add(config, MonoTime()); }
  SourceTable table_;
};

TEST_F(SourceDiffTest, tells_what_comes_changes_and_goes) {
  const std::vector<SourceId> theirs = {add(server("a")), add(server("b")), add(server("c"))};
  const std::vector<SourceConfig> wanted = {server("c"), server("b", 4), server("d")};
  const SourceDiff diff = diff_sources(table_, theirs, wanted);
  EXPECT_EQ(diff.removed, std::vector{theirs[0]});
  ASSERT_EQ(diff.changed.size(), 1u);
  EXPECT_EQ(diff.changed[0].first, theirs[1]);
  EXPECT_EQ(diff.changed[0].second.poll.minpoll, 4);
  ASSERT_EQ(diff.added.size(), 1u);
  EXPECT_EQ(diff.added[0].name, "d");
}

TEST_F(SourceDiffTest, nothing_changes_when_all_is_the_same) {
  const std::vector<SourceId> theirs = {add(server("a"))};
  EXPECT_TRUE(diff_sources(table_, theirs, std::vector{server("a")}).empty());
}

TEST_F(SourceDiffTest, what_the_operator_added_by_hand_is_left_alone) {
  add(server("by-hand"));
  const std::vector<SourceId> theirs = {add(server("a"))};
  EXPECT_TRUE(diff_sources(table_, theirs, std::vector{server("a")}).empty());
  // And not added once more.
  EXPECT_TRUE(diff_sources(table_, theirs, std::vector{server("a"), server("by-hand", 3)}).empty());
}

TEST_F(SourceDiffTest, another_port_or_protocol_is_another_source) {
  const std::vector<SourceId> theirs = {add(server("a"))};
  SourceConfig other = server("a");
  other.port = 1123;
  const SourceDiff diff = diff_sources(table_, theirs, std::vector{other});
  EXPECT_EQ(diff.removed.size(), 1u);
  EXPECT_EQ(diff.added.size(), 1u);
}

TEST_F(SourceDiffTest, what_is_wanted_twice_is_added_once) {
  const SourceDiff diff = diff_sources(table_, {}, std::vector{server("a"), server("a", 3)});
  ASSERT_EQ(diff.added.size(), 1u);
  EXPECT_EQ(diff.added[0].poll.minpoll, 6);
}

}  // namespace
}  // namespace timepool::ntp
