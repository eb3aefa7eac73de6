#include "ntp/target_book.h"

#include <gtest/gtest.h>

#include <set>

namespace timepool::ntp {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(77'000'000'000) + Duration::seconds(seconds);
}
ServiceTarget target(const std::string& name, std::uint16_t priority = 0) {
  return {name, 4460, priority, 10};
}

class TargetBookTest : public testing::Test {
 protected:
  void list(const std::vector<std::string>& names, std::int64_t seconds) {
    std::vector<ServiceTarget> targets;
    for (const std::string& it : names) targets.push_back(target(it));
    book_.update(targets, at(seconds));
  }
  std::string next(std::int64_t seconds, bool desperate = false) {
    const auto found = book_.next(at(seconds), desperate, random_,
                                  [this](const ServiceTarget& it) { return it.target == known_; });
    return found ? found->target : "";
  }
  // Takes and drops it.
  void try_in_vain(const std::string& name, std::int64_t seconds) {
    book_.use(name);
    book_.drop(name, at(seconds), TargetDrop::kNoKeys);
  }

  TargetBook book_;
  RandomStream random_{{1, 2}};
  std::string known_;
};

TEST_F(TargetBookTest, LC3_a_target_in_use_is_not_given_again) {
  list({"a", "b"}, 0);
  const std::string first = next(0);
  book_.use(first);
  const std::string second = next(0);
  book_.use(second);
  EXPECT_NE(first, second);
  EXPECT_EQ(next(0), "");
}

TEST_F(TargetBookTest, LC4_one_that_was_dropped_does_not_come_back_while_there_is_another) {
  list({"a", "b"}, 0);
  try_in_vain("a", 1);
  list({"a", "b"}, 2);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(next(3), "b");
}

TEST_F(TargetBookTest, LC4_nor_without_a_newer_answer) {
  list({"a"}, 0);
  try_in_vain("a", 1);
  EXPECT_EQ(next(2, true), "");
  list({"a"}, 3);
  EXPECT_EQ(next(4, true), "a");
}

TEST_F(TargetBookTest, LC4_while_others_answer_it_rests_for_long) {
  list({"a"}, 0);
  try_in_vain("a", 1);
  list({"a"}, 100);
  EXPECT_EQ(next(101), "");
  EXPECT_EQ(next(3602), "a");
}

TEST_F(TargetBookTest, of_those_that_were_dropped_the_oldest_is_the_first) {
  list({"a", "b"}, 0);
  try_in_vain("b", 1);
  try_in_vain("a", 2);
  list({"a", "b"}, 3);
  EXPECT_EQ(next(4, true), "b");
}

TEST_F(TargetBookTest, after_a_day_it_is_as_good_as_others) {
  list({"a", "b"}, 0);
  try_in_vain("a", 1);
  list({"a", "b"}, 86'500);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(next(86'501));
  EXPECT_EQ(seen, (std::set<std::string>{"a", "b"}));
}

TEST_F(TargetBookTest, one_that_answers_lack_stays_in_use_and_is_not_taken_anew) {
  list({"a", "b"}, 0);
  book_.use("a");
  list({"c"}, 10);
  EXPECT_EQ(book_.records()[0].state, TargetRecord::State::kInUse);
  EXPECT_FALSE(book_.records()[0].listed);
  EXPECT_EQ(next(11), "c");
}

TEST_F(TargetBookTest, a_surplus_one_is_as_good_as_before) {
  list({"a"}, 0);
  book_.use("a");
  book_.drop("a", at(1), TargetDrop::kSurplus);
  EXPECT_EQ(next(2), "a");
}

TEST_F(TargetBookTest, the_one_whose_keys_are_there_comes_first) {
  list({"a", "b", "c", "d"}, 0);
  known_ = "c";
  for (int i = 0; i < 50; ++i) EXPECT_EQ(next(0), "c");
}

TEST_F(TargetBookTest, LC7_the_lowest_priority_number_is_used_first) {
  const std::vector<ServiceTarget> all = {target("b", 5), target("a", 1)};
  book_.update(all, at(0));
  EXPECT_EQ(next(0), "a");
  book_.use("a");
  EXPECT_EQ(next(0), "b");
}

TEST_F(TargetBookTest, what_is_remembered_is_bounded) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kMaxTargets; ++i) {
      names.push_back("r" + std::to_string(round) + "-" + std::to_string(i));
    }
    list(names, round);
    for (const std::string& it : names) try_in_vain(it, round);
  }
  EXPECT_LE(book_.records().size(), 2 * kMaxTargets);
}

}  // namespace
}  // namespace timepool::ntp
