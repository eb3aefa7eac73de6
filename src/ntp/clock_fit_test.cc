#include "ntp/clock_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

double normal(Prng& prng) {
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += prng.unit();
  return sum - 6;
}
double exponential(Prng& prng) {
  return -std::log(1 - prng.unit());
}

// Gauss-Jordan: the solution of matrix * x = right, for symmetric positive matrices.
std::vector<double> solve(std::vector<std::vector<double>> matrix, std::vector<double> right) {
  const std::size_t n = right.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = matrix[i][i];
    for (std::size_t k = 0; k < n; ++k) matrix[i][k] /= pivot;
    right[i] /= pivot;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const double factor = matrix[j][i];
      for (std::size_t k = 0; k < n; ++k) matrix[j][k] -= factor * matrix[i][k];
      right[j] -= factor * right[i];
    }
  }
  return right;
}

// A clock with a random walk of its frequency, measured through queues.
struct World {
  double wander = 0;
  double up = 0;
  double down = 0;
  double interval = 64;
  double frequency = 3e-6;
};

struct Simulated {
  std::vector<FitPoint> points;
  double offset = 0;  // the truth at the last point
  double frequency = 0;
};

Simulated simulate(const World& world, std::size_t count, std::uint64_t seed) {
  Prng prng(seed);
  Simulated out;
  out.frequency = world.frequency;
  for (std::size_t i = 0; i < count; ++i) {
    for (int second = 0; i > 0 && second < static_cast<int>(world.interval); ++second) {
      out.frequency += std::sqrt(world.wander) * normal(prng);
      out.offset += out.frequency;
    }
    const double up = world.up * exponential(prng);
    const double down = world.down * exponential(prng);
    out.points.push_back(
        {static_cast<double>(i) * world.interval, out.offset + (up - down) / 2, up + down, 0});
  }
  return out;
}

// The same by the theory of Gaussian processes: every value's covariance with every other from the
// beginning, conditioned on the measurements in one step. Positions and frequency at the end.
TEST(ClockFit, a_hypothesis_gives_what_conditioning_on_all_points_at_once_gives) {
  const Simulated world = simulate({1e-16, 1e-4, 1e-4, 100, 3e-6}, 7, 5);
  const Hypothesis hypothesis{1e-16, true, false};
  FitSettings settings;
  settings.frequency_sd = 1e-4;
  const Outcome outcome = fit_under(hypothesis, world.points, settings);

  // All points have one noise under this hypothesis; its scale is common to all variances.
  const std::size_t n = world.points.size();
  const double q = hypothesis.wander;
  const double wide = 1e3;  // the offset at the start: as good as unknown
  const double prior = settings.frequency_sd * settings.frequency_sd;
  const double scale = outcome.fit.wander / q;
  const double noise = outcome.fit.noise * outcome.fit.noise / scale;
  const auto covariance = [&](double a, double b) {
    const double s = std::min(a, b);
    const double t = std::max(a, b);
    return wide + prior * a * b + q * s * s * (3 * t - s) / 6;
  };
  const double end = world.points.back().at;
  std::vector<std::vector<double>> matrix(n, std::vector<double>(n));
  std::vector<double> offsets(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      matrix[i][j] = covariance(world.points[i].at, world.points[j].at) + (i == j ? noise : 0);
    }
    offsets[i] = world.points[i].offset;
  }
  const std::vector<double> weights = solve(matrix, offsets);
  double offset = 0;
  double frequency = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double at = world.points[i].at;
    offset += covariance(at, end) * weights[i];
    frequency += (prior * at + q * at * at / 2) * weights[i];
  }
  EXPECT_NEAR(outcome.fit.offset, offset, 1e-8);
  EXPECT_NEAR(outcome.fit.frequency, frequency, 1e-9);
}

TEST(ClockFit, one_point_is_the_offset_within_half_its_delay) {
  const FitPoint point{10, 0.25, 0, 0};
  FitSettings settings;
  settings.first_delay = 0.06;
  const ClockFit fit = fit_clock(std::span(&point, 1), settings);
  EXPECT_DOUBLE_EQ(fit.offset, 0.25);
  EXPECT_DOUBLE_EQ(fit.frequency, 0);
  EXPECT_NEAR(std::sqrt(fit.offset_variance), 0.06 / std::sqrt(12.0), 1e-6);
  EXPECT_NEAR(std::sqrt(fit.frequency_variance), settings.frequency_sd, 1e-9);
}

TEST(ClockFit, points_on_a_line_are_that_line) {
  std::vector<FitPoint> points;
  for (int i = 0; i < 20; ++i) points.push_back({i * 16.0, 1 + i * 16.0 * 2e-5, 0, 0});
  const ClockFit fit = fit_clock(points, {});
  EXPECT_NEAR(fit.offset, points.back().offset, 1e-8);
  EXPECT_NEAR(fit.frequency, 2e-5, 1e-9);
}

// Errors in their own standard deviations, over many worlds: about one in the mean square when the
// estimate knows how good it is.
TEST(ClockFit, says_how_wrong_it_is) {
  for (const double wander : {1e-20, 1e-18, 1e-16, 1e-14}) {
    double offsets = 0;
    double frequencies = 0;
    constexpr int kRuns = 200;
    for (int run = 0; run < kRuns; ++run) {
      const Simulated world =
          simulate({wander, 1e-4, 1e-4, 64, 3e-6}, 40, 100U + static_cast<unsigned>(run));
      const ClockFit fit = fit_clock(world.points, {});
      offsets += std::pow(fit.offset - world.offset, 2) / fit.offset_variance / kRuns;
      frequencies += std::pow(fit.frequency - world.frequency, 2) / fit.frequency_variance / kRuns;
    }
    EXPECT_GT(offsets, 0.3) << wander;
    EXPECT_LT(offsets, 1.8) << wander;
    EXPECT_GT(frequencies, 0.1) << wander;
    EXPECT_LT(frequencies, 2.5) << wander;
  }
}

TEST(ClockFit, finds_how_much_the_clock_wanders) {
  for (const double wander : {1e-18, 1e-16, 1e-14}) {
    double log = 0;
    for (unsigned seed = 1; seed <= 20; ++seed) {
      log += std::log10(
                 fit_clock(simulate({wander, 1e-4, 1e-4, 256, 3e-6}, 60, seed).points, {}).wander) /
             20;
    }
    EXPECT_NEAR(log, std::log10(wander), 1) << wander;
  }
}

// Half of all exchanges were fast: those tell. Equal weights would give about twice the error.
TEST(ClockFit, fast_exchanges_count_for_more) {
  double squares = 0;
  constexpr int kRuns = 100;
  for (unsigned seed = 1; seed <= kRuns; ++seed) {
    const Simulated world = simulate({1e-22, 1e-3, 1e-3, 64, 3e-6}, 60, seed);
    squares += std::pow(fit_clock(world.points, {}).offset - world.offset, 2) / kRuns;
  }
  // A line through 60 points of deviation 1e-3 / sqrt(2) is known at its end to 2 / sqrt(60) of it.
  const double equal_weights = 1e-3 / std::sqrt(2.0) * 2 / std::sqrt(60.0);
  EXPECT_LT(std::sqrt(squares), 0.6 * equal_weights);
}

TEST(ClockFit, sees_a_queue_on_one_way_only) {
  double squares = 0;
  double share = 0;
  constexpr int kRuns = 40;
  for (unsigned seed = 1; seed <= kRuns; ++seed) {
    const Simulated world = simulate({1e-18, 1e-3, 3e-5, 64, 3e-6}, 40, seed);
    const ClockFit fit = fit_clock(world.points, {});
    squares += std::pow(fit.offset - world.offset, 2) / kRuns;
    share += fit.asymmetry / kRuns;
  }
  EXPECT_NEAR(share, 0.48, 0.05);
  // The plain mean would be wrong by half the queue's mean, 485 us.
  EXPECT_LT(std::sqrt(squares), 4e-5);
}

TEST(ClockFit, equal_queues_are_not_taken_for_one_way) {
  double asymmetry = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    asymmetry +=
        std::abs(fit_clock(simulate({1e-18, 1e-3, 1e-3, 64, 3e-6}, 40, seed).points, {}).asymmetry);
  }
  EXPECT_LT(asymmetry / 40, 0.1);
}

TEST(ClockFit, least_points_keep_it_from_following_noise) {
  const Simulated world = simulate({1e-12, 1e-5, 1e-5, 64, 0}, 30, 3);
  FitSettings settings;
  const ClockFit free = fit_clock(world.points, settings);
  settings.least_points = 20;
  const ClockFit held = fit_clock(world.points, settings);
  EXPECT_LT(held.wander, free.wander / 100);
}

}  // namespace
}  // namespace timepool::ntp
