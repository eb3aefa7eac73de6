#include "ntp/smear_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.h"
#include "ntp/intersection.h"

namespace timepool::ntp {
namespace {

// Fewer points make no line.
constexpr std::size_t kMinPoints = 8;
// A smear moves by this much before it is told from a network's moods: six minutes at 11.6 parts
// in a million.
constexpr double kMinRange = 4e-3;
// The factor is that many times its error, and within this of one.
constexpr double kMinConfidence = 8;
constexpr double kMaxDeviation = 0.25;
// Half of it is no smear, when the error is small.
constexpr double kNoSmear = 0.5;
constexpr double kSmallError = 0.1;
// A verdict outlives its smear by this.
constexpr Duration kAfterglow = Duration::seconds(600);
// Around the leap some measurements are from before it and some from after.
constexpr Duration kBlind = Duration::seconds(30);
// Two sources can't outvote each other.
constexpr std::size_t kMinSources = 3;

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_of_others(std::span<const SmearWatch::Reading> readings, std::size_t without) {
  std::vector<double> others;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    // Relative to the one in question, so that a large common offset costs no digits.
    if (i != without) {
      others.push_back((readings[i].offset - readings[without].offset).to_seconds());
    }
  }
  return median_of(std::move(others));
}

}  // namespace

void SmearWatch::set_leap(const std::optional<LeapSecond>& leap) {
  if (leap == leap_) return;
  leap_ = leap;
  after_ = false;
  minority_ = 0;
  tracks_.clear();
}

void SmearWatch::forget_missing(std::span<const Reading> readings) {
  for (auto& [id, track] : tracks_) track.seen = false;
  for (const Reading& reading : readings) tracks_[reading.id].seen = true;
  std::erase_if(tracks_, [](const auto& entry) { return !entry.second.seen; });
}

void SmearWatch::add_point(Track& track, Duration since, double difference) const {
  const double now = since.to_seconds();
  if (!track.points.empty() && now - track.points.back().since < kSmearSpacing.to_seconds()) return;
  track.points.push_back({now, difference});
}

std::optional<SmearWatch::Fit> SmearWatch::fit(const Track& track, const Smear& smear) const {
  const std::size_t n = track.points.size();
  if (n < kMinPoints) return std::nullopt;
  std::vector<double> expected(n);
  double mean_expected = 0;
  double mean_difference = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Point& point = track.points[i];
    expected[i] = smear_offset(smear, Duration::from_seconds(point.since), leap_->seconds);
    mean_expected += expected[i] / static_cast<double>(n);
    mean_difference += point.difference / static_cast<double>(n);
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = expected[i] - mean_expected;
    xx += x * x;
    xy += x * (track.points[i].difference - mean_difference);
  }
  const auto [low, high] = std::minmax_element(expected.begin(), expected.end());
  if (*high - *low < kMinRange) return std::nullopt;
  Fit out{xy / xx, 0, *high - *low};
  double residuals = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double residual =
        track.points[i].difference - mean_difference - out.factor * (expected[i] - mean_expected);
    residuals += residual * residual;
  }
  out.error = std::sqrt(residuals / static_cast<double>(n - 2) / xx);
  return out;
}

void SmearWatch::judge(Track& track, Duration since) const {
  if (track.verdict != 0 && since > track.until) {
    track.verdict = 0;
    track.points.clear();
  }
  int found = 0;
  Duration until;
  double nearest = kMaxDeviation;
  bool contradicted = false;
  for (const Smear& smear : known_smears()) {
    const std::optional<Fit> fitted = fit(track, smear);
    if (!fitted) continue;
    const double size = std::fabs(fitted->factor);
    contradicted = contradicted || (size < kNoSmear && fitted->error < kSmallError);
    if (size < kMinConfidence * fitted->error || std::fabs(size - 1) >= nearest) continue;
    nearest = std::fabs(size - 1);
    found = fitted->factor > 0 ? 1 : -1;
    until = smear.end() + kAfterglow;
  }
  if (found != 0) {
    track.until = track.verdict == found ? std::max(track.until, until) : until;
    track.verdict = found;
  } else if (contradicted) {
    track.verdict = 0;
  }
}

// Those who smear are told if they are no more than half: where there is no telling by number, UTC
// is what is wanted. The others are, if they are less than half.
void SmearWatch::decide(std::size_t sources) {
  std::size_t smear = 0;
  std::size_t plain = 0;
  for (const auto& [id, track] : tracks_) {
    smear += track.verdict > 0 ? 1U : 0U;
    plain += track.verdict < 0 ? 1U : 0U;
  }
  minority_ = 0;
  if (sources < kMinSources) return;
  if (smear > 0 && 2 * smear <= sources) {
    minority_ = 1;
  } else if (plain > 0 && 2 * plain < sources) {
    minority_ = -1;
  }
}

void SmearWatch::update(UnixTime utc, std::span<const Reading> readings) {
  CHECK(readings.size() <= kMaxCandidates);
  if (!leap_) return;
  const Duration since = utc - leap_->at;
  if (since.abs() > kSmearHorizon) return set_leap(std::nullopt);
  forget_missing(readings);
  if (since >= Duration() && !after_) {
    after_ = true;
    for (auto& [id, track] : tracks_) track.points.clear();
  }
  if (since.abs() < kBlind) return;
  for (std::size_t i = 0; i < readings.size() && readings.size() >= kMinSources; ++i) {
    Track& track = tracks_[readings[i].id];
    if (readings[i].updated) add_point(track, since, -median_of_others(readings, i));
    judge(track, since);
  }
  decide(readings.size());
}

bool SmearWatch::differs(AssociationId id) const {
  const auto found = tracks_.find(id);
  return minority_ != 0 && found != tracks_.end() && found->second.verdict == minority_;
}

}  // namespace timepool::ntp
