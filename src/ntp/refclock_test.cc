#include "ntp/refclock.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

constexpr std::int64_t kErrorPpb = 50'000;
const UnixTime kEpoch = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(5'000'000'000);

LocalTime at(double seconds) {
  const Duration span = Duration::from_seconds(seconds);
  return {kMono + span, kEpoch + span};
}

RefclockConfig settings() {
  RefclockConfig out;
  out.name = "GPS";
  out.reference_id = wire::ntp::ReferenceId::from_text("GPS");
  return out;
}

class RefclockTest : public ::testing::Test {
 protected:
  explicit RefclockTest(const RefclockConfig& config = settings()) { start(config); }

  void start(const RefclockConfig& config) {
    ExchangeConfig clock;
    clock.clock_error_ppb = kErrorPpb;
    clock_.emplace(config, clock, kMono);
  }
  // A reading of a moment ago.
  RefclockReason read(double seconds, Duration offset, const RefclockContext& context = {}) {
    RefclockReading reading;
    reading.local = kEpoch + Duration::from_seconds(seconds);
    reading.offset = offset;
    reading.leap = leap_;
    reading.pulse = pulse_;
    return clock_->handle_look(RefclockReason::kAccepted, reading, at(seconds + 0.1), context);
  }
  // A reading each second; the polls that end are ended.
  int run(double from, double until, Duration offset) {
    int samples = 0;
    for (double now = from; now < until; now += 1) {
      read(now, offset);
      samples += clock_->handle_timer(at(now + 0.2)) ? 1 : 0;
    }
    return samples;
  }

  std::optional<Refclock> clock_;
  wire::ntp::Leap leap_ = wire::ntp::Leap::kNone;
  bool pulse_ = false;
};

TEST_F(RefclockTest, makes_a_sample_of_the_readings_of_a_poll) {
  EXPECT_FALSE(clock_->measurable());
  EXPECT_FALSE(clock_->decided());
  EXPECT_EQ(run(0.5, 5, Duration::milliseconds(20)), 1);
  ASSERT_TRUE(clock_->measurable());
  EXPECT_TRUE(clock_->decided());
  EXPECT_EQ(clock_->reach(), 1);
  const Sample& sample = clock_->latest();
  EXPECT_EQ(sample.offset, Duration::milliseconds(20));
  EXPECT_EQ(sample.stratum, 0);
  EXPECT_EQ(sample.reference_id, wire::ntp::ReferenceId::from_text("GPS"));
  EXPECT_EQ(sample.delay, Duration::nanoseconds(1));
  EXPECT_GE(sample.dispersion, Duration::microseconds(1));
  // At the mean time of the readings, on both clocks.
  EXPECT_EQ(sample.at.mono, kMono + Duration::milliseconds(2500));
}

TEST_F(RefclockTest, polls_are_long_while_the_noise_is_more_than_the_wander) {
  Prng prng(3);
  const auto noise = [&] {
    return Duration::nanoseconds(static_cast<std::int64_t>(prng.below(200'000)) - 100'000);
  };
  EXPECT_EQ(clock_->poll(), 2);
  for (int second = 0; second < 1000; ++second) run(second + 0.5, second + 1.5, noise());
  EXPECT_EQ(clock_->poll(), 4);
}

TEST_F(RefclockTest, polls_are_short_while_the_clock_wanders) {
  Prng prng(3);
  double frequency = 0;
  double offset = 0;
  for (int second = 0; second < 1000; ++second) {
    frequency += 1e-6 * (static_cast<double>(prng.below(2001)) / 1000 - 1);
    offset += frequency;
    run(second + 0.5, second + 1.5, Duration::from_seconds(offset));
  }
  EXPECT_EQ(clock_->poll(), 2);
}

TEST_F(RefclockTest, max_samples_bounds_the_window_and_min_samples_makes_old_ones_count) {
  // What the samples say after 2000 s in which the local clock wanders.
  const auto estimate_with = [this](std::size_t least, std::size_t most) {
    RefclockConfig config = settings();
    config.min_samples = least;
    config.max_samples = most;
    start(config);
    Prng prng(5);
    double frequency = 0;
    double offset = 0;
    for (int second = 0; second < 2000; ++second) {
      frequency += 1e-8 * (static_cast<double>(prng.below(2001)) / 1000 - 1);
      offset += frequency;
      const double noise = 2e-5 * (static_cast<double>(prng.below(2001)) / 1000 - 1);
      run(second + 0.5, second + 1.5, Duration::from_seconds(offset + noise));
    }
    return clock_->estimate(at(2000).mono);
  };
  const Estimate free = estimate_with(1, 128);
  EXPECT_EQ(free.count, 128U);
  EXPECT_EQ(estimate_with(1, 6).count, 6U);
  EXPECT_LT(estimate_with(128, 128).wander, free.wander / 100);
}

TEST_F(RefclockTest, tells_what_became_of_readings_and_of_a_poll) {
  RefclockConfig config = settings();
  config.offset = Duration::milliseconds(-150);
  start(config);
  read(0.5, Duration::milliseconds(400));
  EXPECT_EQ(clock_->newest_reading().offset, Duration::milliseconds(250));
  EXPECT_EQ(clock_->newest_reading().dispersion, Duration::microseconds(1));
  EXPECT_EQ(clock_->readings(), 1U);
  EXPECT_FALSE(clock_->last_mean().has_value());
  EXPECT_EQ(run(1.5, 5, Duration::milliseconds(400)), 1);
  EXPECT_EQ(clock_->samples(), 1U);
  ASSERT_TRUE(clock_->last_mean().has_value());
  EXPECT_EQ(clock_->last_mean()->used, 5U);
  EXPECT_EQ(clock_->last_mean()->point.offset, Duration::milliseconds(250));
  EXPECT_LE(clock_->readings(), 1U);
}

TEST_F(RefclockTest, a_clock_that_stops_becomes_unreachable_and_is_decided_about) {
  run(0.5, 5, Duration());
  for (int poll = 0; poll < 8; ++poll) {
    clock_->handle_timer({clock_->next_deadline(), kEpoch + Duration::seconds(1000)});
  }
  EXPECT_EQ(clock_->reach(), 0);
  EXPECT_FALSE(clock_->measurable());

  start(settings());
  for (int poll = 0; poll < 3; ++poll) {
    EXPECT_FALSE(clock_->decided());
    clock_->handle_timer({clock_->next_deadline(), kEpoch + Duration::seconds(poll)});
  }
  EXPECT_TRUE(clock_->decided());
}

TEST_F(RefclockTest, a_long_sleep_is_one_poll) {
  clock_->handle_timer(at(100'000));
  EXPECT_EQ(clock_->polls(), 1U);
  EXPECT_GT(clock_->next_deadline(), at(100'000).mono);
}

TEST_F(RefclockTest, each_look_has_one_reason) {
  EXPECT_EQ(read(10, Duration()), RefclockReason::kAccepted);
  EXPECT_EQ(read(10, Duration()), RefclockReason::kDuplicate);
  EXPECT_EQ(read(9.5, Duration()), RefclockReason::kDuplicate);
  EXPECT_EQ(read(11, Duration::seconds(3'000'000'000)), RefclockReason::kTooLarge);
  leap_ = wire::ntp::Leap::kUnsynchronised;
  EXPECT_EQ(read(12, Duration()), RefclockReason::kUnsynchronised);
  EXPECT_EQ(clock_->handle_look(RefclockReason::kNothingNew, {}, at(13), {}),
            RefclockReason::kNothingNew);
  EXPECT_EQ(clock_->last_reason(), RefclockReason::kUnsynchronised);
  EXPECT_EQ(clock_->handle_look(RefclockReason::kTorn, {}, at(13), {}), RefclockReason::kTorn);
  EXPECT_EQ(clock_->last_reason(), RefclockReason::kTorn);
  EXPECT_EQ(clock_->count(RefclockReason::kAccepted), 1U);
  EXPECT_EQ(clock_->count(RefclockReason::kDuplicate), 2U);
  EXPECT_EQ(clock_->count(RefclockReason::kNothingNew), 1U);
}

TEST_F(RefclockTest, readings_of_long_ago_and_of_the_future_are_refused) {
  RefclockReading reading;
  reading.local = kEpoch;
  EXPECT_EQ(clock_->handle_look(RefclockReason::kAccepted, reading, at(33), {}),
            RefclockReason::kStale);
  EXPECT_EQ(clock_->handle_look(RefclockReason::kAccepted, reading, at(-1), {}),
            RefclockReason::kFuture);
  EXPECT_EQ(clock_->handle_look(RefclockReason::kAccepted, reading, at(31), {}),
            RefclockReason::kAccepted);
}

TEST_F(RefclockTest, offset_is_added) {
  RefclockConfig config = settings();
  config.offset = Duration::milliseconds(-150);
  start(config);
  run(0.5, 5, Duration::milliseconds(400));
  EXPECT_EQ(clock_->latest().offset, Duration::milliseconds(250));
}

TEST_F(RefclockTest, a_clock_in_tai_waits_for_the_difference) {
  RefclockConfig config = settings();
  config.tai = true;
  config.filter_length = 1;
  start(config);
  EXPECT_EQ(read(1, Duration::seconds(37)), RefclockReason::kNoTaiOffset);
  EXPECT_EQ(read(2, Duration::milliseconds(37'250), {{}, Duration::seconds(37)}),
            RefclockReason::kAccepted);
  clock_->handle_timer(at(4));
  EXPECT_EQ(clock_->latest().offset, Duration::milliseconds(250));
}

TEST_F(RefclockTest, pulses_take_their_second_from_the_context) {
  pulse_ = true;
  EXPECT_EQ(read(1.75, Duration()), RefclockReason::kNoSecond);
  const RefclockContext vague{PulseReference{Duration(), Duration::seconds(2)}, {}};
  EXPECT_EQ(read(1.75, Duration(), vague), RefclockReason::kAmbiguous);
  // The local clock is about 5.2 s behind.
  const RefclockContext good{
      PulseReference{Duration::milliseconds(5200), Duration::milliseconds(9)}, {}};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(read(2.75 + i, Duration(), good), RefclockReason::kAccepted);
  }
  EXPECT_TRUE(clock_->handle_timer(at(6.5)));
  EXPECT_EQ(clock_->latest().offset, Duration::milliseconds(5250));
}

TEST_F(RefclockTest, the_delay_of_a_pulse_is_taken_off_before_its_second_is_sought) {
  RefclockConfig config = settings();
  config.offset = Duration::milliseconds(300);
  config.filter_length = 1;
  start(config);
  pulse_ = true;
  const RefclockContext good{PulseReference{Duration(), Duration::milliseconds(1)}, {}};
  // The pulse of 2.0 comes at 2.3 of true time; the local clock reads 2.298 then.
  EXPECT_EQ(read(2.298, Duration(), good), RefclockReason::kAccepted);
  clock_->handle_timer(at(5));
  EXPECT_EQ(clock_->latest().offset, Duration::milliseconds(2));
}

TEST_F(RefclockTest, readings_that_scatter_too_much_make_no_sample) {
  RefclockConfig config = settings();
  config.max_dispersion = Duration::milliseconds(1);
  start(config);
  for (int i = 0; i < 4; ++i) {
    read(0.5 + i, i % 2 == 0 ? Duration::milliseconds(50) : Duration::milliseconds(-50));
  }
  EXPECT_FALSE(clock_->handle_timer(at(4.5)));
  EXPECT_EQ(clock_->count(RefclockReason::kTooDispersed), 1U);
  EXPECT_EQ(clock_->reach(), 0);
  EXPECT_EQ(run(8.5, 14, Duration()), 1);
}

TEST_F(RefclockTest, says_roughly_what_time_it_is_before_the_first_poll_ends) {
  EXPECT_FALSE(clock_->rough_time().has_value());
  for (int i = 0; i < 4; ++i) read(0.5 + i, Duration::milliseconds(700 + i));
  const auto rough = clock_->rough_time();
  ASSERT_TRUE(rough.has_value());
  EXPECT_NEAR(rough->offset.to_seconds(), 0.7015, 1e-4);
  EXPECT_GT(rough->bound, Duration());
}

TEST(RefclockConfig, limits_are_kept) {
  EXPECT_TRUE(within_limits(settings()));
  const auto refused = [](auto change) {
    RefclockConfig config = settings();
    change(config);
    EXPECT_FALSE(within_limits(config));
  };
  refused([](RefclockConfig& it) { it.name.clear(); });
  refused([](RefclockConfig& it) { it.poll = 11; });
  refused([](RefclockConfig& it) { it.filter_length = 0; });
  refused([](RefclockConfig& it) { it.rate = 1001; });
  refused([](RefclockConfig& it) { it.stratum = 15; });
  refused([](RefclockConfig& it) { it.min_samples = 0; });
  refused([](RefclockConfig& it) { it.max_samples = kMaxSamples + 1; });
  refused([](RefclockConfig& it) {
    it.min_samples = 5;
    it.max_samples = 4;
  });
  refused([](RefclockConfig& it) { it.precision = Duration(); });
  refused([](RefclockConfig& it) { it.delay = Duration::nanoseconds(-1); });
}

}  // namespace
}  // namespace timepool::ntp
