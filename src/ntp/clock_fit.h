// ClockFit: what a window of noisy measurements says of a clock that drifts: its offset and its
// frequency now, and how sure both are. A pure function of the window.
//
// The clock: the frequency is a random walk (`wander` its variance per second), the offset its
// integral. A measurement: with queues of unknown length on both ways, an exchange that took
// `excess` longer than the fastest can is wrong by anything within half of that, uniformly, so its
// variance is excess^2 / 12. That makes fast exchanges count for much more than slow ones.
//
// What is not known beforehand (how much the clock wanders, whether the excess tells of the error,
// whether the queue is on one way only) is a set of hypotheses. A Kalman filter runs over the
// window under each, and the results are averaged by how well each one foretold the measurements
// (Bayesian model averaging). The scale of the noise is integrated out under a weak prior.
#pragma once

#include <span>

namespace timepool::ntp {

struct FitPoint {
  double at = 0;      // seconds; not before the point before
  double offset = 0;  // seconds
  double excess = 0;  // seconds of delay above the least of its path; not negative
  double shift = 0;   // variance, s^2, that a change of the path before this point adds
};

struct FitSettings {
  // What the frequency is before anything is measured, in seconds per second.
  double frequency = 0;
  double frequency_sd = 2e-4;
  // Noise below this is not believed, in seconds.
  double resolution = 1e-9;
  // Half-knowledge of the delay of one exchange alone: nothing says how fast it could have been.
  double first_delay = 0;
  // Hypotheses that forget within fewer points than this are left out.
  double least_points = 1;
};

struct ClockFit {
  double at = 0;  // the time of the last point
  double offset = 0;
  double frequency = 0;
  double offset_variance = 0;
  double frequency_variance = 0;
  double covariance = 0;
  double wander = 0;  // s^2 per s^3: variance that the frequency gains in a second
  double noise = 0;   // standard deviation of a usual measurement's error
  // How much of the excess delay is error, -0.5 to 0.5, and how sure it is that there is such.
  double asymmetry = 0;
  double asymmetry_share = 0;

  // Variance of the offset foretold for `after` seconds past `at`.
  double variance(double after) const;
  // The part of it that comes from not knowing the frequency then.
  double growth(double after) const;
};

// One hypothesis alone.
struct Hypothesis {
  double wander = 0;
  bool plain = false;       // the excess says nothing of the error
  bool asymmetric = false;  // the queue is on one way only, or nearly so
};
struct Outcome {
  ClockFit fit;
  double odds = 0;  // log, how well it foretold the points
};
// CHECKs that there is a point.
Outcome fit_under(const Hypothesis& hypothesis, std::span<const FitPoint> points,
                  const FitSettings& settings);

// The average of all. CHECKs that there is a point.
ClockFit fit_clock(std::span<const FitPoint> points, const FitSettings& settings);

}  // namespace timepool::ntp
