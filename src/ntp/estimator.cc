#include "ntp/estimator.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "ntp/four_times.h"

namespace timepool::ntp {
namespace {

// Samples before the frequency means something: two lie on a line whatever they are.
constexpr std::size_t kFrequencySamples = 3;
// Standard deviations of the frequency that bounds allow for, more while there are few samples,
// beside max_clock_error_ppb.
constexpr double kBoundDeviations = 8;
// Until there are so many samples, what is stated of the clock bounds it, not what was measured.
constexpr std::size_t kBoundSamples = 8;
// Before that our clock may run at any rate that a kernel can make up for.
constexpr std::int64_t kUnknownDrift = 100'000'000;
// Longer while the next offset stays within this many of the present standard deviations, shorter
// when it does not by half as much more.
constexpr double kLongerWithin = 2;
constexpr double kShorterBeyond = 1.5 * kLongerWithin;
// The first lengthening takes twenty samples, a burst's among them: the frequency must be known
// well when longer intervals begin. Each further one takes eight more. Two samples that don't allow
// the present interval shorten it.
constexpr std::size_t kEarlySamples = 20;
constexpr double kEarlyScore = 1.0 / kEarlySamples;
constexpr double kLongerScore = 1.0 / 8;
constexpr double kShorterScore = -1.0 / 2;
// The path has changed when so many samples all took longer than three quarters of those before:
// by chance that is one in 4^8.
constexpr std::size_t kPathSamples = 8;
// The older half of so many samples and more is dropped when it is so much rougher than the newer:
// it is of a server that was finding the time itself.
constexpr std::size_t kRoughSamples = 16;
constexpr double kRougher = 8;

// So many samples in a row that fit nothing, not even each other: the newest is believed.
constexpr std::size_t kStrays = 4;

using Points = std::array<FitPoint, kMaxSamples>;
using Delays = std::array<double, kMaxSamples>;

double third_quartile(std::span<const double> delays) {
  Delays sorted{};
  std::copy(delays.begin(), delays.end(), sorted.begin());
  const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(delays.size() * 3 / 4);
  std::nth_element(sorted.begin(), place,
                   sorted.begin() + static_cast<std::ptrdiff_t>(delays.size()));
  return *place;
}

// Where the path that is used now began to be: the first sample of it.
std::size_t path_start(std::span<const double> delays) {
  if (delays.size() < 2 * kPathSamples) return 0;
  double least = *std::min_element(delays.end() - kPathSamples, delays.end());
  for (std::size_t at = delays.size() - kPathSamples; at >= kPathSamples; --at) {
    least = std::min(least, delays[at]);
    if (delays[at - 1] < least && least > third_quartile(delays.first(at))) return at;
  }
  return 0;
}

// The shortest delay is no queue's work when it is further from the next than four times what lies
// between that and the middle: a timestamp was wrong. By chance that is rarer than one in a
// thousand.
constexpr std::size_t kStraySamples = 5;
constexpr double kStrayGap = 4;

// Gives such a delay an excess that makes it count little, and the others theirs over the rest.
void judge_shortest(std::span<FitPoint> points) {
  if (points.size() < kStraySamples) return;
  Delays sorted{};
  for (std::size_t i = 0; i < points.size(); ++i) sorted[i] = points[i].excess;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(points.size());
  std::sort(sorted.begin(), end);
  const double second = sorted[1];
  if (second - sorted[0] <= kStrayGap * (sorted[points.size() / 2] - second)) return;
  for (FitPoint& point : points) {
    point.excess = point.excess < second ? 2 * second : point.excess - second;
  }
}

// The excess of each delay over the least of its path.
void set_excess(std::span<const double> delays, std::span<FitPoint> points) {
  const std::size_t start = path_start(delays);
  const auto least_of = [&](std::size_t from, std::size_t to) {
    return *std::min_element(delays.begin() + static_cast<std::ptrdiff_t>(from),
                             delays.begin() + static_cast<std::ptrdiff_t>(to));
  };
  const double now = least_of(start, delays.size());
  const double before = start > 0 ? least_of(0, start) : now;
  for (std::size_t i = 0; i < delays.size(); ++i) {
    points[i].excess = delays[i] - (i < start ? before : now);
  }
  if (start == 0) judge_shortest(points);
  // Nobody knows how the difference is shared between the two ways.
  if (start > 0) points[start].shift = (now - before) * (now - before) / 12;
}

// How far the points are, in the root mean square, from the lines between their neighbours: their
// noise, whatever the clock's frequency and its wander over longer times.
double roughness(std::span<const FitPoint> points) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const FitPoint& before = points[i - 1];
    const FitPoint& after = points[i + 1];
    if (after.at <= before.at) continue;
    const double share = (points[i].at - before.at) / (after.at - before.at);
    const double off = points[i].offset - before.offset - share * (after.offset - before.offset);
    sum += off * off;
    ++count;
  }
  return count > 0 ? std::sqrt(sum / static_cast<double>(count)) : 0;
}

}  // namespace

Estimator::Estimator(const EstimatorConfig& config) : config_(config) {
  config_.clock_error_ppb = std::max(config.clock_error_ppb, config.max_clock_error_ppb);
  CHECK(config.max_samples >= 1 && config.max_samples <= kMaxSamples);
  CHECK(config.min_samples >= 1 && config.min_samples <= config.max_samples);
}

void Estimator::add(const Sample& sample) {
  if (empty() || fits(sample)) {
    aside_.clear();
  } else {
    aside_.push_back(sample);
    const std::size_t count = aside_.size();
    if (count < 2) return;
    const bool agree = agree_about_time(aside_[count - 2], sample);
    if (!agree && count < kStrays) return;
    samples_.clear();
    if (agree) samples_.push_back(aside_[count - 2]);
    aside_.clear();
  }
  samples_.push_back(sample);
  fit();
}

void Estimator::resume(std::span<const Sample> before, const Sample& first) {
  CHECK(empty() && before.size() <= kMaxSamples);
  for (const Sample& sample : before) samples_.push_back(sample);
  if (!before.empty()) {
    fit();
    if (!fits(first)) clear();
  }
  samples_.push_back(first);
  fit();
}

// The fit is in offsets from the last sample's, so it stays.
void Estimator::shift(Duration by) {
  for (std::size_t i = 0; i < samples_.size(); ++i) samples_[i].offset += by;
  for (std::size_t i = 0; i < aside_.size(); ++i) aside_[i].offset += by;
}

void Estimator::clear() {
  samples_.clear();
  aside_.clear();
}

// Whether some drift of our clock explains both.
bool Estimator::agree_about_time(const Sample& before, const Sample& after) const {
  const Duration apart = (after.offset - before.offset).abs();
  return apart <= before.root_distance() + after.root_distance() +
                      drift_over(after.at.mono - before.at.mono, config_.clock_error_ppb);
}

bool Estimator::fits(const Sample& sample) const {
  const Estimate known = estimate(sample.at.mono);
  const std::int64_t drift_ppb = known.has_frequency ? config_.clock_error_ppb : kUnknownDrift;
  const Duration drift = drift_over(sample.at.mono - latest().at.mono, drift_ppb);
  return (sample.offset - known.offset).abs() <= known.distance + sample.root_distance() + drift;
}

void Estimator::forget_all_but(std::size_t newest) {
  RingBuffer<Sample, kMaxSamples> kept;
  for (std::size_t i = samples_.size() - newest; i < samples_.size(); ++i) {
    kept.push_back(samples_[i]);
  }
  samples_ = kept;
}

void Estimator::fit() {
  const std::size_t used = std::min(samples_.size(), config_.max_samples);
  const std::size_t first = samples_.size() - used;
  const Sample& last = latest();
  Points points{};
  Delays delays{};
  for (std::size_t i = 0; i < used; ++i) {
    const Sample& sample = samples_[first + i];
    points[i].at = (sample.at.raw - last.at.raw).to_seconds();
    if (i > 0) points[i].at = std::max(points[i].at, points[i - 1].at);
    points[i].offset = (sample.offset - last.offset).to_seconds();
    delays[i] = sample.delay.to_seconds();
  }
  const std::size_t older = used / 2;
  if (used >= kRoughSamples &&
      roughness(std::span(points).first(older)) >
          kRougher * roughness(std::span(points).first(used).subspan(older))) {
    forget_all_but(used - older);
    fit();
    return;
  }
  set_excess(std::span(delays).first(used), std::span(points).first(used));
  FitSettings settings;
  // The stated error is the most: most clocks are nearer, and some are beyond it all the same.
  settings.frequency_sd = 2e-9 * static_cast<double>(config_.clock_error_ppb);
  settings.resolution = exp2_seconds(config_.precision).to_seconds();
  settings.first_delay = last.delay.to_seconds();
  settings.least_points = static_cast<double>(config_.min_samples);
  fit_ = fit_clock(std::span(points).first(used), settings);
  double sum = 0;
  for (std::size_t i = 0; i < used; ++i) {
    const double off = points[i].offset - fit_.offset - fit_.frequency * points[i].at;
    sum += off * off;
  }
  const double mean = used > 1 ? sum / static_cast<double>(used - 1) : 0;
  jitter_ = std::max(exp2_seconds(last.precision), Duration::from_seconds(std::sqrt(mean)));
  find_bounds();
}

// How far the frequency may carry the offset away in `span`, beyond what the fit says.
Duration Estimator::drift(Duration span) const {
  const double seconds = std::max(span, Duration()).to_seconds();
  const Duration most = drift_over(span, config_.clock_error_ppb) +
                        Duration::from_seconds(std::abs(fit_.frequency) * seconds);
  if (samples_.size() < kBoundSamples) return most;
  const double n = static_cast<double>(samples_.size());
  const double deviations = kBoundDeviations * (1 + kBoundSamples / n);
  const double likely = deviations * std::sqrt(fit_.growth(seconds));
  return std::min(most,
                  drift_over(span, config_.max_clock_error_ppb) + Duration::from_seconds(likely));
}

// The most that the fitted offset is wrong by what each sample says alone.
void Estimator::find_bounds() {
  bounds_.clear();
  for (std::size_t i = samples_.size(); i-- > 0;) {
    const Sample& sample = samples_[i];
    const double at = (sample.at.raw - latest().at.raw).to_seconds();
    const Duration fitted =
        latest().offset + Duration::from_seconds(fit_.offset + fit_.frequency * at);
    const Duration fixed = sample.root_distance() + (sample.offset - fitted).abs();
    if (!bounds_.empty() && fixed >= bounds_.back().fixed) continue;
    CHECK(bounds_.push_back({i, fixed}));
  }
}

Estimate Estimator::estimate(MonoTime now) const {
  CHECK(!empty());
  std::size_t best = 0;
  Duration least = Duration::max();
  for (const Bound& it : bounds_) {
    const Duration bound = it.fixed + drift(now - samples_[it.index].at.mono);
    if (bound < least) {
      least = bound;
      best = it.index;
    }
  }
  const double after = std::max(now - latest().at.mono, Duration()).to_seconds();
  Estimate out;
  out.sample = samples_[best];
  out.at = latest().at;
  out.last_offset = latest().offset + Duration::from_seconds(fit_.offset);
  out.frequency = fit_.frequency;
  out.has_frequency = samples_.size() >= kFrequencySamples;
  out.offset = out.last_offset + Duration::from_seconds(fit_.frequency * after);
  out.offset_sd = std::sqrt(fit_.variance(after));
  out.last_offset_sd = std::sqrt(fit_.offset_variance);
  out.frequency_sd = std::sqrt(fit_.frequency_variance);
  out.wander = fit_.wander;
  out.asymmetry = fit_.asymmetry;
  out.count = std::min(samples_.size(), config_.max_samples);
  out.span = latest().at.raw - samples_[samples_.size() - out.count].at.raw;
  out.jitter = jitter_;
  out.dispersion = out.sample.dispersion + drift(now - out.sample.at.mono);
  // The sample that says most is also the one whose luck is most believed.
  out.distance = least + Duration::from_seconds(size() > 1 ? out.offset_sd : 0);
  return out;
}

Duration Estimator::least_delay() const {
  CHECK(!empty());
  Duration out = Duration::max();
  for (std::size_t i = 0; i < samples_.size(); ++i) out = std::min(out, samples_[i].delay);
  return out;
}

Duration Estimator::scatter(MonoTime now) const {
  CHECK(!empty());
  if (samples_.size() <= kFrequencySamples) return Duration::max();
  const double after = std::max(now - latest().at.mono, Duration()).to_seconds();
  return std::max(jitter_, Duration::from_seconds(std::sqrt(fit_.variance(after))));
}

double Estimator::poll_score(int poll) const {
  CHECK(!empty());
  const double interval = std::ldexp(1.0, poll);
  const double now = std::sqrt(fit_.offset_variance);
  if (std::sqrt(fit_.growth(2 * interval)) < kLongerWithin * now) {
    return samples_.size() <= kEarlySamples ? kEarlyScore : kLongerScore;
  }
  if (std::sqrt(fit_.growth(interval)) > kShorterBeyond * now) return kShorterScore;
  return 0;
}

std::vector<Sample> samples_of(const Estimator& estimator) {
  std::vector<Sample> out;
  out.reserve(estimator.size());
  for (std::size_t i = 0; i < estimator.size(); ++i) out.push_back(estimator[i]);
  return out;
}

}  // namespace timepool::ntp
