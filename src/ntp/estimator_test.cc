#include "ntp/estimator.h"

#include <gtest/gtest.h>

#include <vector>

#include <cmath>

#include "base/prng.h"
#include "ntp/exchange.h"

namespace timepool::ntp {
namespace {

constexpr MonoTime kMono = MonoTime::from_ns(5'000'000'000);
const UnixTime kUnix = UnixTime::from_seconds(1'700'000'000);

// A sample taken `second` seconds from the start.
Sample sample(double second, Duration offset, Duration delay) {
  Sample out;
  const Duration since = Duration::from_seconds(second);
  out.at = {kMono + since, kUnix + since};
  out.offset = offset;
  out.delay = delay;
  out.dispersion = Duration::microseconds(2);
  out.stratum = 2;
  return out;
}

Duration us(std::int64_t value) {
  return Duration::microseconds(value);
}

MonoTime mono(double second) {
  return kMono + Duration::from_seconds(second);
}

TEST(Estimator, the_first_sample_is_believed_within_its_root_distance) {
  Estimator estimator({});
  Sample first = sample(0, us(250), us(80));
  first.root_delay = us(20);
  first.root_dispersion = us(30);
  estimator.add(first);
  const Estimate estimate = estimator.estimate(first.at.mono);
  EXPECT_EQ(estimate.offset, us(250));
  EXPECT_EQ(estimate.distance, us(40 + 10 + 2 + 30));
  EXPECT_FALSE(estimate.has_frequency);
}

TEST(Estimator, the_bound_grows_by_the_clock_error_while_the_frequency_is_unknown) {
  EstimatorConfig config;
  config.clock_error_ppb = 20'000;
  Estimator estimator(config);
  estimator.add(sample(0, us(0), us(100)));
  const Duration fresh = estimator.estimate(mono(0)).distance;
  EXPECT_EQ(estimator.estimate(mono(100)).distance - fresh, us(2000));
}

TEST(Estimator, follows_a_clock_that_runs_fast) {
  Estimator estimator({});
  Prng prng(3);
  for (int i = 0; i < 20; ++i) {
    const double at = i * 64.0;
    const Duration noise = Duration::from_seconds(1e-5 * (prng.unit() - 0.5));
    estimator.add(sample(at, Duration::from_seconds(-2e-5 * at) + noise, us(100)));
  }
  const Estimate estimate = estimator.estimate(mono(20 * 64));
  EXPECT_TRUE(estimate.has_frequency);
  EXPECT_NEAR(estimate.frequency, -2e-5, 3e-8);
  EXPECT_NEAR(estimate.offset.to_seconds(), -2e-5 * 20 * 64, 1e-5);
  EXPECT_EQ(estimate.count, 20U);
  EXPECT_EQ(estimate.span, Duration::seconds(19 * 64));
  // Known to better than a millionth, the frequency lets the bound grow slowly.
  EXPECT_LT(estimator.estimate(mono(20 * 64 + 1000)).distance - estimate.distance, us(2500));
}

TEST(Estimator, forgets_the_time_when_the_server_was_finding_the_time_itself) {
  Estimator estimator({});
  Prng prng(5);
  for (int i = 0; i < 24; ++i) {
    const double spread = i < 10 ? 2e-3 : 1e-5;
    const Duration noise = Duration::from_seconds(spread * (prng.unit() - 0.5));
    estimator.add(sample(i * 64.0, noise, us(100)));
  }
  const Estimate estimate = estimator.estimate(mono(24 * 64));
  EXPECT_LT(estimate.count, 16U);
  EXPECT_LT(estimate.offset.abs(), us(20));
}

TEST(Estimator, the_offset_at_another_moment_follows_the_frequency) {
  Estimator estimator({});
  for (int i = 0; i < 10; ++i) estimator.add(sample(i * 16, us(i * 16 * 5), us(100)));
  const Estimate estimate = estimator.estimate(mono(9 * 16));
  EXPECT_NEAR(estimate.offset_at(kUnix + Duration::seconds(9 * 16 + 100)).to_seconds(),
              (9 * 16 + 100) * 5e-6, 1e-6);
}

TEST(Estimator, forgets_a_single_sample_that_no_drift_explains) {
  Estimator estimator({});
  for (int i = 0; i < 5; ++i) estimator.add(sample(i * 64, us(10), us(100)));
  estimator.add(sample(5 * 64, Duration::seconds(3), us(100)));
  estimator.add(sample(6 * 64, us(10), us(100)));
  EXPECT_EQ(estimator.size(), 6U);
  EXPECT_LT(estimator.estimate(mono(6 * 64)).offset, us(60));
}

TEST(Estimator, begins_anew_when_the_server_was_set) {
  Estimator estimator({});
  for (int i = 0; i < 5; ++i) estimator.add(sample(i * 64, us(10), us(100)));
  estimator.add(sample(5 * 64, Duration::seconds(3), us(100)));
  estimator.add(sample(6 * 64, Duration::seconds(3), us(100)));
  EXPECT_EQ(estimator.size(), 2U);
  EXPECT_NEAR(estimator.estimate(mono(6 * 64)).offset.to_seconds(), 3, 1e-4);
}

TEST(Estimator, believes_the_newest_of_four_that_fit_nothing) {
  Estimator estimator({});
  for (int i = 0; i < 5; ++i) estimator.add(sample(i, us(10), us(100)));
  for (int i = 1; i < 4; ++i) estimator.add(sample(5 + i, Duration::seconds(100 * i), us(100)));
  EXPECT_EQ(estimator.size(), 5U);
  estimator.add(sample(9, Duration::seconds(-50), us(100)));
  EXPECT_EQ(estimator.size(), 1U);
  EXPECT_EQ(estimator.estimate(mono(9)).offset, Duration::seconds(-50));
}

TEST(Estimator, a_crystal_far_beyond_the_stated_error_is_followed) {
  Estimator estimator({});
  for (int i = 0; i < 12; ++i) estimator.add(sample(i * 64, us(i * 64 * 900), us(100)));
  EXPECT_EQ(estimator.size(), 12U);
  EXPECT_NEAR(estimator.estimate(mono(11 * 64)).frequency, 9e-4, 1e-6);
}

// The way back became 2 ms longer: every exchange since then says 1 ms too little.
TEST(Estimator, a_new_path_does_not_stop_the_clock_from_being_followed) {
  Estimator estimator({});
  Prng prng(9);
  for (int i = 0; i < 40; ++i) {
    const Duration extra = i < 20 ? us(0) : us(2000);
    const Duration queue = Duration::from_seconds(1e-4 * prng.unit());
    const Duration true_offset = us(i < 20 ? 0 : (i - 20) * 64);  // the clock begins to run away
    estimator.add(sample(i * 64, true_offset - extra / 2 - queue / 2, us(500) + extra + queue));
  }
  const Estimate estimate = estimator.estimate(mono(39 * 64));
  EXPECT_NEAR(estimate.frequency, 1e-6, 4e-7);
  EXPECT_NEAR(estimate.offset.to_seconds(), 19 * 64e-6 - 1e-3, 3e-4);
  EXPECT_LE((estimate.offset - us(19 * 64)).abs(), estimate.distance);
}

// A wrong timestamp made one exchange look 200 us faster and 100 us off.
TEST(Estimator, an_exchange_too_fast_to_be_true_counts_little) {
  Estimator estimator({});
  Prng prng(6);
  for (int i = 0; i < 12; ++i) {
    const Duration queue = Duration::from_seconds(2e-5 * prng.unit());
    const bool wrong = i == 2;
    estimator.add(sample(i * 64, wrong ? us(100) : queue / 2, us(wrong ? 50 : 250) + queue));
  }
  EXPECT_NEAR(estimator.estimate(mono(11 * 64)).offset.to_seconds(), 3e-6, 1e-5);
  EXPECT_LT(std::abs(estimator.estimate(mono(11 * 64)).asymmetry), 0.55);
}

TEST(Estimator, max_samples_bounds_the_window) {
  EstimatorConfig config;
  config.max_samples = 6;
  Estimator estimator(config);
  for (int i = 0; i < 30; ++i) estimator.add(sample(i * 64, us(10), us(100)));
  EXPECT_EQ(estimator.estimate(mono(29 * 64)).count, 6U);
  EXPECT_EQ(estimator.estimate(mono(29 * 64)).span, Duration::seconds(5 * 64));
}

TEST(Estimator, a_quiet_clock_is_asked_less_often_and_a_wandering_one_more) {
  Estimator quiet({});
  Estimator wandering({});
  Prng prng(4);
  double frequency = 0;
  double offset = 0;
  for (int i = 0; i < 60; ++i) {
    const Duration queue = Duration::from_seconds(1e-4 * prng.unit());
    frequency += 2e-6 * (prng.unit() - 0.5);
    offset += frequency * 64;
    quiet.add(sample(i * 64, queue / 2, us(100) + queue));
    wandering.add(sample(i * 64, Duration::from_seconds(offset) + queue / 2, us(100) + queue));
  }
  EXPECT_GT(quiet.poll_score(6), 0);
  EXPECT_LT(wandering.poll_score(10), 0);
}

// Honest bounds: a random clock seen through random queues, never further off than is said.
TEST(Estimator, the_truth_stays_within_the_bound) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Prng prng(seed);
    Estimator estimator({});
    double frequency = 8e-5 * (prng.unit() - 0.5);
    double truth = prng.unit();
    const double walk = std::pow(10.0, -9 + 3 * prng.unit());
    const double queue = std::pow(10.0, -5 + 4 * prng.unit());
    const double skew = prng.unit();
    double at = 0;
    for (int i = 0; i < 100; ++i) {
      const double interval = std::pow(2.0, 4 + 6 * prng.unit());
      for (double step = 0; step < interval; step += 4) {
        frequency += walk * 2 * (prng.unit() - 0.5) * std::sqrt(3.0);
        truth += 4 * frequency;
        at += 4;
        if (estimator.empty()) continue;
        const Estimate estimate = estimator.estimate(mono(at));
        ASSERT_LE(std::abs(estimate.offset.to_seconds() - truth),
                  estimate.distance.to_seconds() + 2e-9)
            << "seed " << seed << ", sample " << i;
      }
      const double up = -queue * skew * std::log(1 - prng.unit());
      const double down = -queue * (1 - skew) * std::log(1 - prng.unit());
      estimator.add(sample(at, Duration::from_seconds(truth + (up - down) / 2),
                           Duration::from_seconds(1e-4 + up + down)));
    }
  }
}

// An hour of samples of a clock that runs 12 ppm fast, with 40 us of jitter.
std::vector<Sample> hour_of_samples() {
  std::vector<Sample> out;
  Prng prng(5);
  for (int i = 0; i < 60; ++i) {
    const Duration queue = Duration::nanoseconds(static_cast<std::int64_t>(40'000 * prng.unit()));
    out.push_back(sample(64 * i, us(-768 * i) + queue / 2, us(100) + queue));
  }
  return out;
}

TEST(Estimator, goes_on_with_the_samples_of_an_earlier_run) {
  const std::vector<Sample> before = hour_of_samples();
  Estimator whole({});
  for (const Sample& it : before) whole.add(it);
  const Sample next = sample(64 * 61, us(-768 * 61), us(100));
  whole.add(next);
  Estimator resumed({});
  resumed.resume(before, next);
  const Estimate a = whole.estimate(next.at.mono);
  const Estimate b = resumed.estimate(next.at.mono);
  EXPECT_EQ(a.offset, b.offset);
  EXPECT_EQ(a.frequency, b.frequency);
  EXPECT_EQ(a.distance, b.distance);
  EXPECT_EQ(resumed.size(), 61u);
}

TEST(Estimator, forgets_an_earlier_run_that_the_first_sample_does_not_fit) {
  Estimator resumed({});
  const Sample next = sample(64 * 61, us(-768 * 61) + Duration::milliseconds(50), us(100));
  resumed.resume(hour_of_samples(), next);
  EXPECT_EQ(resumed.size(), 1u);
  EXPECT_EQ(resumed.estimate(next.at.mono).offset, next.offset);
}

TEST(Estimator, the_bound_of_a_known_frequency_grows_by_the_stated_error_too) {
  const std::vector<Sample> before = hour_of_samples();
  Duration grown[2];
  for (const int i : {0, 1}) {
    EstimatorConfig config;
    config.max_clock_error_ppb = i == 0 ? 1'000 : 31'000;
    Estimator estimator(config);
    for (const Sample& it : before) estimator.add(it);
    const MonoTime last = before.back().at.mono;
    grown[i] = estimator.estimate(last + Duration::seconds(64)).distance;
  }
  // The best bound may be an older sample's: of 30 ppm more in 64 s at least.
  EXPECT_GE(grown[1] - grown[0], us(30 * 64));
}

}  // namespace
}  // namespace timepool::ntp
