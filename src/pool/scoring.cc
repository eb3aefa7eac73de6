#include "pool/scoring.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace timepool::pool {
namespace {

// Order of preference among samples: answered ones first, then the quickest.
bool better(const Sample& a, const Sample& b) {
  if (a.answered() != b.answered()) return a.answered();
  return a.answered() && a.rtt_s < b.rtt_s;
}

Step kiss_step(KissCode kiss, const ScoreSettings& settings) {
  switch (kiss) {
    case KissCode::kRate:
      return {settings.rate_step, std::nullopt, StepReason::kRate};
    case KissCode::kDeny:
    case KissCode::kRestrict:
      return {settings.deny_step, settings.deny_cap, StepReason::kDenied};
    case KissCode::kOther:
      break;
  }
  return {settings.other_kiss_step, settings.other_kiss_cap, StepReason::kKiss};
}

Step offset_step(double offset, const ScoreSettings& settings) {
  for (const OffsetPiece& piece : settings.offset_pieces) {
    if (offset <= piece.above_s) continue;
    const double step = std::min(piece.slope * offset + piece.intercept, settings.max_step);
    return {step, std::nullopt, step < settings.max_step ? StepReason::kOffset : StepReason::kGood};
  }
  return {settings.max_step, std::nullopt, StepReason::kGood};
}

void collect(std::span<const MonitorScore> scores, UnixTime now, Duration window,
             std::initializer_list<MonitorRole> roles, std::vector<MonitorScore>& out) {
  for (const MonitorScore& score : scores) {
    const bool wanted = std::find(roles.begin(), roles.end(), score.role) != roles.end();
    if (wanted && now - score.time <= window) out.push_back(score);
  }
}

}  // namespace

KissCode kiss_code_of(std::string_view text) {
  if (text == "RATE") return KissCode::kRate;
  if (text == "DENY") return KissCode::kDeny;
  if (text == "RSTR") return KissCode::kRestrict;
  return KissCode::kOther;
}

CheckSummary summarise(std::span<const Sample> samples) {
  CheckSummary out;
  out.samples = static_cast<std::uint32_t>(samples.size());
  const Sample* best = nullptr;
  for (const Sample& sample : samples) {
    if (!sample.answered()) ++out.lost;
    if (best != nullptr && best->error == SampleError::kKissOfDeath) continue;
    const bool kiss = sample.error == SampleError::kKissOfDeath;
    if (best == nullptr || kiss || better(sample, *best)) best = &sample;
  }
  if (best != nullptr) out.best = *best;
  return out;
}

std::string_view name_of(StepReason reason) {
  constexpr std::array<std::string_view, 9> kNames{
      "good", "offset", "offset_far", "stratum", "timeout", "rate", "denied", "kiss", "error"};
  return kNames[static_cast<std::size_t>(reason)];
}

Step step_of(const CheckSummary& check, const ScoreSettings& settings) {
  const Sample& best = check.best;
  switch (best.error) {
    case SampleError::kTimeout:
      return {settings.no_response_step, std::nullopt, StepReason::kTimeout};
    case SampleError::kKissOfDeath:
      return kiss_step(best.kiss, settings);
    case SampleError::kUnreachable:
    case SampleError::kBogus:
      return {settings.error_step, std::nullopt, StepReason::kError};
    case SampleError::kNone:
      break;
  }
  if (best.stratum == 0) return kiss_step(KissCode::kOther, settings);
  if (!std::isfinite(best.offset_s)) return {settings.error_step, std::nullopt, StepReason::kError};
  const double offset = std::fabs(best.offset_s);
  if (offset > settings.far_offset_s) {
    return {settings.far_offset_step, settings.far_offset_cap, StepReason::kOffsetFar};
  }
  if (best.stratum >= settings.bad_stratum) {
    return {settings.bad_stratum_step, std::nullopt, StepReason::kStratum};
  }
  return offset_step(offset, settings);
}

double next_score(double raw, const Step& step, const ScoreSettings& settings) {
  const double next = raw * settings.decay + step.value;
  return std::min(next, step.cap.value_or(settings.max_score));
}

std::optional<double> recent_median(std::span<const MonitorScore> scores, UnixTime now,
                                    const ScoreSettings& settings) {
  using enum MonitorRole;
  std::vector<MonitorScore> found;
  collect(scores, now, settings.active_window, {kActive}, found);
  if (found.empty()) collect(scores, now, settings.testing_window, {kActive, kTesting}, found);
  if (found.empty()) collect(scores, now, settings.candidate_window, {kCandidate, kTesting}, found);
  if (found.empty()) return std::nullopt;
  if (found.size() < 3) {
    const auto oldest = std::min_element(
        found.begin(), found.end(),
        [](const MonitorScore& a, const MonitorScore& b) { return a.time < b.time; });
    return oldest->score;
  }
  const auto order = [](const MonitorScore& a, const MonitorScore& b) {
    constexpr double kLast = std::numeric_limits<double>::infinity();
    if (a.score != b.score) return a.score < b.score;
    return a.rtt_s.value_or(kLast) < b.rtt_s.value_or(kLast);
  };
  std::sort(found.begin(), found.end(), order);
  return found[(found.size() - 1) / 2].score;
}

}  // namespace timepool::pool
