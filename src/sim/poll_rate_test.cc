#include "sim/poll_rate.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::sim {
namespace {

class PollRateTest : public testing::Test {
 protected:
  PollRateTest() {
    ntp::SourceConfig config;
    config.name = "192.0.2.1";
    table_.add(config, now_);
    report_.server = Endpoint{parse_ip("192.0.2.1").value(), 123, 0};
    report_.association = 1;
    report_.poll = 6;
  }
  // `requests` more after so long.
  void look(Duration after, std::uint64_t requests, bool restarted = false) {
    now_ = now_ + after;
    report_.requests += requests;
    rate_.look(std::vector{report_}, table_, now_, restarted);
  }
  bool kept() const { return rate_.violations().empty(); }

  MonoTime now_ = MonoTime::from_ns(1'000'000'000);
  ntp::SourceTable table_;
  ntp::SourceReport report_;
  PollRate rate_;
};

TEST_F(PollRateTest, a_burst_at_the_start_and_then_the_interval_is_right) {
  look({}, 1);
  for (int i = 0; i < 7; ++i) look(Duration::seconds(2), 1);
  for (int i = 0; i < 100; ++i) look(Duration::seconds(62), 1);
  EXPECT_TRUE(kept());
}

TEST_F(PollRateTest, asking_twice_as_often_is_noticed) {
  look({}, 1);
  for (int i = 0; i < 40; ++i) look(Duration::seconds(32), 1);
  EXPECT_FALSE(kept());
  EXPECT_EQ(rate_.violations()[0],
            "192.0.2.1:123 was asked more often than poll 6 and the documented bursts allow");
}

TEST_F(PollRateTest, eight_probes_go_with_a_run_of_misses_and_no_more) {
  look({}, 9);
  for (int run = 0; run < 5; ++run) {
    report_.unanswered = 0;
    for (int i = 0; i < 4; ++i) look(Duration::seconds(64), 1);
    report_.unanswered = 1;
    for (int i = 0; i < 8; ++i) look(Duration::seconds(1), 1);
  }
  EXPECT_TRUE(kept());
  look(Duration::seconds(1), 9);
  EXPECT_FALSE(kept());
}

TEST_F(PollRateTest, a_step_of_the_clock_allows_another_burst) {
  look({}, 9);
  look(Duration::seconds(1), 8, true);
  EXPECT_TRUE(kept());
  look(Duration::seconds(1), 1);
  EXPECT_FALSE(kept());
}

}  // namespace
}  // namespace timepool::sim
