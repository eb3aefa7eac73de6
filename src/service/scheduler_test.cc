#include "service/scheduler.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace timepool::service {
namespace {

constexpr MonoTime kStart = MonoTime::from_ns(1'000'000'000'000);
const SchedulerSettings kSettings{Duration::seconds(540), Duration::seconds(7200), -90};

std::vector<pool::Assignment> pairs(std::int64_t servers, std::int64_t monitors) {
  std::vector<pool::Assignment> out;
  for (std::int64_t s = 1; s <= servers; ++s) {
    for (std::int64_t m = 1; m <= monitors; ++m) out.push_back({s, m, pool::MonitorRole::kActive});
  }
  return out;
}

TEST(Scheduler, new_pairs_are_due_at_once_in_batches) {
  Scheduler scheduler(kSettings, 1);
  scheduler.assign(pairs(5, 2), {}, kStart);
  EXPECT_EQ(scheduler.take_due(1, kStart, 3).size(), 3u);
  EXPECT_EQ(scheduler.take_due(1, kStart, 3).size(), 2u);
  EXPECT_TRUE(scheduler.take_due(1, kStart, 3).empty());
  EXPECT_EQ(scheduler.take_due(2, kStart, 10).size(), 5u);
  EXPECT_TRUE(scheduler.take_due(3, kStart, 10).empty());
  EXPECT_FALSE(scheduler.next_due(3).has_value());
}

TEST(Scheduler, pair_comes_back_after_its_interval) {
  Scheduler scheduler(kSettings, 1);
  scheduler.assign(pairs(1, 1), {}, kStart);
  ASSERT_EQ(scheduler.take_due(1, kStart, 10).size(), 1u);
  EXPECT_GE(*scheduler.next_due(1), kStart + Duration::seconds(513));
  EXPECT_LE(*scheduler.next_due(1), kStart + Duration::seconds(567));
  EXPECT_TRUE(scheduler.take_due(1, kStart + Duration::seconds(512), 10).empty());
  EXPECT_EQ(scheduler.take_due(1, kStart + Duration::seconds(567), 10).size(), 1u);
}

TEST(Scheduler, bad_server_is_checked_seldom_and_again_often_when_it_is_better) {
  Scheduler scheduler(kSettings, 1);
  scheduler.assign(pairs(1, 1), {}, kStart);
  ASSERT_EQ(scheduler.take_due(1, kStart, 10).size(), 1u);
  scheduler.note_score(1, 1, -95);
  EXPECT_GE(*scheduler.next_due(1), kStart + Duration::seconds(7100));
  scheduler.note_score(1, 1, -80);
  EXPECT_LE(*scheduler.next_due(1), kStart + Duration::seconds(567));
}

TEST(Scheduler, start_goes_on_from_the_last_checks) {
  Scheduler scheduler(kSettings, 1);
  const std::vector<PairState> known{{1, 1, Duration::seconds(500), 20},
                                     {2, 1, Duration::seconds(9000), 20},
                                     {3, 1, Duration::seconds(600), -99},
                                     {4, 1, Duration::seconds(-1000), 20}};
  scheduler.assign(pairs(5, 1), known, kStart);
  EXPECT_EQ(scheduler.take_due(1, kStart, 10), (std::vector<std::int64_t>{2, 5}));
  EXPECT_EQ(scheduler.take_due(1, kStart + Duration::seconds(41), 10),
            (std::vector<std::int64_t>{1}));
  EXPECT_EQ(scheduler.next_due(1), kStart + Duration::seconds(540));
}

TEST(Scheduler, change_keeps_the_time_of_pairs_that_stay) {
  Scheduler scheduler(kSettings, 1);
  scheduler.assign(pairs(2, 1), {}, kStart);
  ASSERT_EQ(scheduler.take_due(1, kStart, 10).size(), 2u);
  const MonoTime before = *scheduler.next_due(1);
  scheduler.assign(pairs(3, 1), {}, kStart + Duration::seconds(1));
  EXPECT_EQ(scheduler.take_due(1, kStart + Duration::seconds(1), 10),
            (std::vector<std::int64_t>{3}));
  EXPECT_EQ(scheduler.next_due(1), before);
  scheduler.assign({}, {}, kStart);
  EXPECT_FALSE(scheduler.next_due(1).has_value());
}

RC_GTEST_PROP(Scheduler, every_pair_is_checked_about_once_an_interval, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  Scheduler scheduler(kSettings, seed);
  scheduler.assign(pairs(4, 2), {}, kStart);
  std::map<std::pair<std::int64_t, std::int64_t>, int> checks;
  for (int second = 0; second < 5400; second += 10) {
    for (std::int64_t monitor = 1; monitor <= 2; ++monitor) {
      for (const std::int64_t server :
           scheduler.take_due(monitor, kStart + Duration::seconds(second), 2)) {
        ++checks[{server, monitor}];
      }
    }
  }
  RC_ASSERT(checks.size() == 8u);
  for (const auto& [pair, count] : checks) RC_ASSERT(count >= 9 && count <= 11);
}

}  // namespace
}  // namespace timepool::service
