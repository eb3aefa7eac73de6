#include "ntp/clock_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// Wander from 1e-21 s^2/s^3 (a good oven) to 1e-12 (a virtual machine that moves), a tenfold apart.
constexpr int kWanders = 10;
constexpr double kLeastWander = 1e-21;
// What is expected: crystals walk some 1e-9 per square root of a second; three decades either way.
constexpr double kUsualWander = -17.5;
constexpr double kWanderSpread = 3;
// Weight of the nominal noise against what is measured, as a number of points.
constexpr double kScalePoints = 2;
// Log odds of a one-way queue, and of an excess that says nothing, before anything is measured.
constexpr double kAsymmetricOdds = -2;
constexpr double kPlainOdds = -2;
// Points before a one-way queue is considered.
constexpr std::size_t kAsymmetricPoints = 8;
constexpr double kAsymmetrySpread = 0.3;
// The noise that is left when the queue is on one way: a small share of the plain one.
constexpr double kAsymmetricRest = 1.0 / 64;
// The least of n exchanges' excesses is about this share of their mean over the root of n: for
// exponential queues both ways the excess is a gamma variable of shape 2.
constexpr double kLeastExcess = 0.63;

// The window's own noise, before any hypothesis.
struct Nominal {
  double base = 0;     // added to each excess: the least seen is not the least there is
  double plain = 0;    // variance of a measurement when the excess says nothing
  double floor = 0;    // variance that any has
  double typical = 0;  // mean excess
};

// What a measurement was off by, and the variance of that as foretold.
struct Innovation {
  double error = 0;
  double variance = 1;
};

// Offset, frequency and asymmetry, with their covariances.
struct State {
  double x = 0, f = 0, a = 0;
  double xx = 0, xf = 0, ff = 0, xa = 0, fa = 0, aa = 0;

  void advance(double dt, double wander) {
    x += f * dt;
    xx += 2 * dt * xf + dt * dt * ff + wander * dt * dt * dt / 3;
    xf += dt * ff + wander * dt * dt / 2;
    ff += wander * dt;
    xa += dt * fa;
  }

  // Takes a measurement in.
  Innovation measure(const FitPoint& point, double noise) {
    const double gx = xx + point.excess * xa;
    const double gf = xf + point.excess * fa;
    const double ga = xa + point.excess * aa;
    const double error = point.offset - x - point.excess * a;
    const double variance = gx + point.excess * ga + noise;
    const double kx = gx / variance;
    const double kf = gf / variance;
    const double ka = ga / variance;
    x += kx * error;
    f += kf * error;
    a += ka * error;
    xx -= kx * gx;
    xf -= kx * gf;
    ff -= kf * gf;
    xa -= kx * ga;
    fa -= kf * ga;
    aa -= ka * ga;
    return {error, variance};
  }
};

// The noise by how far each point is from the line between its neighbours: their median, so that
// neither wander nor a few bad points count.
double plain_variance(std::span<const FitPoint> points) {
  constexpr std::size_t kMost = 128;
  std::array<double, kMost> squares{};
  std::size_t count = 0;
  for (std::size_t i = 1; i + 1 < points.size() && count < kMost; ++i) {
    const double span = points[i + 1].at - points[i - 1].at;
    const double share = span > 0 ? (points[i].at - points[i - 1].at) / span : 0.5;
    const double line = points[i - 1].offset * (1 - share) + points[i + 1].offset * share;
    const double off = points[i].offset - line;
    squares[count++] = off * off / (1 + share * share + (1 - share) * (1 - share));
  }
  if (count < 3) return 0;
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(squares.begin(), middle, squares.begin() + static_cast<std::ptrdiff_t>(count));
  return *middle / 0.455;  // the median of a chi-squared variable
}

Nominal nominal_noise(std::span<const FitPoint> points, const FitSettings& settings) {
  Nominal out;
  const double n = static_cast<double>(points.size());
  for (const FitPoint& point : points) out.typical += point.excess / n;
  out.floor = settings.resolution * settings.resolution;
  out.base = points.size() == 1 ? settings.first_delay : kLeastExcess * out.typical / std::sqrt(n);
  // Exponential queues of mean J both ways: a mean excess of 2 J, an error of variance J^2 / 2.
  out.plain = std::max(out.typical * out.typical / 8, plain_variance(points)) + out.floor;
  if (points.size() < 3) {
    out.plain = std::max(out.plain, settings.first_delay * settings.first_delay / 12);
  }
  return out;
}

double variance_of(const FitPoint& point, const Hypothesis& hypothesis, const Nominal& nominal) {
  if (hypothesis.plain) {
    return hypothesis.asymmetric ? nominal.plain * kAsymmetricRest + nominal.floor : nominal.plain;
  }
  const double excess = point.excess + nominal.base;
  return excess * excess / 12 + nominal.floor;
}

State first_state(const FitPoint& point, const Hypothesis& hypothesis, const Nominal& nominal,
                  const FitSettings& settings) {
  State out;
  out.x = point.offset;
  out.f = settings.frequency;
  out.ff = settings.frequency_sd * settings.frequency_sd;
  out.aa = hypothesis.asymmetric ? kAsymmetrySpread * kAsymmetrySpread : 0;
  out.xx = variance_of(point, hypothesis, nominal) + point.excess * point.excess * out.aa;
  out.xa = -point.excess * out.aa;
  return out;
}

Outcome try_hypothesis(std::span<const FitPoint> points, const Hypothesis& hypothesis,
                       const Nominal& nominal, const FitSettings& settings) {
  State state = first_state(points[0], hypothesis, nominal, settings);
  double squares = 0;
  // Logarithms are slow: products of a few, far from where doubles end, are taken together.
  double logs = 0;
  double product = 1;
  for (std::size_t i = 1; i < points.size(); ++i) {
    state.advance(points[i].at - points[i - 1].at, hypothesis.wander);
    state.xx += points[i].shift;
    const Innovation seen = state.measure(points[i], variance_of(points[i], hypothesis, nominal));
    squares += seen.error * seen.error / seen.variance;
    product *= seen.variance;
    if (product < 1e-200 || product > 1e200) {
      logs += std::log(product);
      product = 1;
    }
  }
  logs += std::log(product);
  // The scale has an inverse gamma prior about 1; integrated out, the evidence is Student's.
  const double weight = kScalePoints + static_cast<double>(points.size() - 1);
  const double scale = (kScalePoints + squares) / weight;
  Outcome out;
  out.fit = {points.back().at,         state.x,          state.f,
             state.xx * scale,         state.ff * scale, state.xf * scale,
             hypothesis.wander * scale};
  const FitPoint middle{0, 0, nominal.typical, 0};
  out.fit.noise = std::sqrt(variance_of(middle, hypothesis, nominal) * scale);
  out.fit.asymmetry = state.a;
  out.fit.asymmetry_share = hypothesis.asymmetric ? 1 : 0;
  const double usual = (std::log10(out.fit.wander) - kUsualWander) / kWanderSpread;
  out.odds = -0.5 * (logs + weight * std::log(kScalePoints + squares) + usual * usual);
  if (hypothesis.asymmetric) out.odds += kAsymmetricOdds;
  if (hypothesis.plain) out.odds += kPlainOdds;
  return out;
}

constexpr std::size_t kHypotheses = kWanders * 4;

struct Outcomes {
  std::array<Outcome, kHypotheses> all{};
  std::size_t count = 0;

  std::span<const Outcome> span() const { return std::span(all).first(count); }
};

Outcomes try_all(std::span<const FitPoint> points, const FitSettings& settings) {
  Outcomes out;
  const Nominal nominal = nominal_noise(points, settings);
  const double span = points.back().at - points.front().at;
  const double interval = points.size() > 1 ? span / static_cast<double>(points.size() - 1) : 0;
  // A filter of this wander forgets in (noise^2 * interval / wander)^(1/4) seconds.
  const double memory = settings.least_points * interval;
  const double most = memory > 0 ? nominal.plain * interval / std::pow(memory, 4) : 1;
  for (int shape = 0; shape < 4; ++shape) {
    Hypothesis hypothesis{kLeastWander, (shape & 1) != 0, (shape & 2) != 0};
    if (hypothesis.asymmetric && points.size() < kAsymmetricPoints) continue;
    for (int i = 0; i < kWanders; ++i, hypothesis.wander *= 10) {
      if (i > 0 && hypothesis.wander > most) break;
      out.all[out.count++] = try_hypothesis(points, hypothesis, nominal, settings);
    }
  }
  return out;
}

// Their probabilities.
std::array<double, kHypotheses> shares_of(std::span<const Outcome> outcomes) {
  std::array<double, kHypotheses> out{};
  double best = outcomes[0].odds;
  for (const Outcome& outcome : outcomes) best = std::max(best, outcome.odds);
  double sum = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    out[i] = std::exp(outcomes[i].odds - best);
    sum += out[i];
  }
  for (double& share : out) share /= sum;
  return out;
}

}  // namespace

double ClockFit::growth(double after) const {
  return std::max(0.0, after * after * (frequency_variance + wander * after / 3));
}

double ClockFit::variance(double after) const {
  return std::max(0.0, offset_variance + 2 * after * covariance + growth(after));
}

Outcome fit_under(const Hypothesis& hypothesis, std::span<const FitPoint> points,
                  const FitSettings& settings) {
  CHECK(!points.empty());
  return try_hypothesis(points, hypothesis, nominal_noise(points, settings), settings);
}

ClockFit fit_clock(std::span<const FitPoint> points, const FitSettings& settings) {
  CHECK(!points.empty());
  const Outcomes tried = try_all(points, settings);
  const auto outcomes = tried.span();
  const auto shares = shares_of(outcomes);
  ClockFit out;
  out.at = points.back().at;
  double log_wander = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const ClockFit& fit = outcomes[i].fit;
    out.offset += shares[i] * fit.offset;
    out.frequency += shares[i] * fit.frequency;
    out.asymmetry += shares[i] * fit.asymmetry;
    out.asymmetry_share += shares[i] * fit.asymmetry_share;
    out.noise += shares[i] * fit.noise;
    log_wander += shares[i] * std::log(fit.wander);
  }
  out.wander = std::exp(log_wander);
  // Of a mixture: the mean of the variances and the variance of the means.
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const ClockFit& fit = outcomes[i].fit;
    const double x = fit.offset - out.offset;
    const double f = fit.frequency - out.frequency;
    out.offset_variance += shares[i] * (fit.offset_variance + x * x);
    out.frequency_variance += shares[i] * (fit.frequency_variance + f * f);
    out.covariance += shares[i] * (fit.covariance + x * f);
  }
  return out;
}

}  // namespace timepool::ntp
