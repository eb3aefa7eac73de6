#include "ntp/selection.h"

#include <algorithm>

#include "base/check.h"
#include "ntp/eligibility.h"

namespace timepool::ntp {
namespace {

// A score is not kept beyond this: it says as much as is ever asked.
constexpr double kMaxScore = 1e6;

// One selection in the making.
class Round {
 public:
  Round(std::span<const Candidate> candidates, const Absent& absent, const SelectionConfig& config)
      : candidates_(candidates), absent_(absent), config_(config) {
    out_.options = effective_options(candidates, absent, config.auth);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      CHECK(out_.causes.push_back(
          excluded(candidates[i], out_.options[i], config).value_or(Cause::kNoMajority)));
      CHECK(out_.scores.push_back(1));
    }
  }

  Selection run() {
    form_jury();
    out_.agreement = deliberate();
    if (out_.agreement == Agreement::kFound) out_.agreement = count_survivors();
    if (out_.agreement != Agreement::kFound) return out_;
    heed_preference();
    choose();
    limit_combination();
    combine();
    return out_;
  }

 private:
  bool votes(std::size_t i) const { return is_voter(out_.causes[i]); }
  bool survives(std::size_t i) const { return is_survivor(out_.causes[i]); }
  // Those who are silent are jurors too while what they said is remembered.
  bool is_juror(std::size_t i) const {
    const bool heard = votes(i) || out_.causes[i] == Cause::kRemembered;
    return heard && (!trusted_jury_ || out_.options[i].trust);
  }
  void mark_voters(Cause cause) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (votes(i)) out_.causes[i] = cause;
    }
  }
  void mark_survivors(Cause cause) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (survives(i)) out_.causes[i] = cause;
    }
  }

  void form_jury();
  std::size_t undecided(bool trusted_only) const;
  Agreement deliberate();
  Cause judge(std::size_t i, std::span<const Interval> groups) const;
  void judge_all(std::size_t agreeing);
  Agreement count_survivors();
  bool requirement_met() const;
  bool dates_hold() const;
  void heed_preference();
  double cost(std::size_t i) const;
  std::size_t cheapest() const;
  std::size_t challenger(std::size_t incumbent);
  void choose();
  void limit_combination();
  void combine();

  std::span<const Candidate> candidates_;
  const Absent& absent_;
  const SelectionConfig& config_;
  bool any_voter_ = false;
  bool trusted_jury_ = false;
  Intersection jury_;
  Selection out_;
};

void Round::form_jury() {
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    any_voter_ = any_voter_ || votes(i);
    if (votes(i) && out_.options[i].trust) trusted_jury_ = true;
  }
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (is_juror(i)) CHECK(jury_.add(candidates_[i].interval()));
  }
}

// Who may still become a juror.
std::size_t Round::undecided(bool trusted_only) const {
  const bool trusts_absent =
      absent_.trust || (config_.auth == AuthSelection::kMix && absent_.authenticated);
  std::size_t out = !trusted_only || trusts_absent ? absent_.undecided : 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const SelectOptions& options = out_.options[i];
    if (candidates_[i].decided || options.noselect) continue;
    if (!trusted_only || options.trust) ++out;
  }
  return out;
}

Agreement Round::deliberate() {
  if (!any_voter_) return Agreement::kNobody;
  const std::size_t agreeing = jury_.most();
  if (2 * agreeing <= jury_.size()) {
    mark_voters(Cause::kNoMajority);
    return Agreement::kNoMajority;
  }
  const bool waits_for_trusted = !trusted_jury_ && undecided(true) > 0;
  if (waits_for_trusted || 2 * agreeing <= jury_.size() + undecided(trusted_jury_)) {
    mark_voters(Cause::kUndecided);
    return Agreement::kUndecided;
  }
  judge_all(agreeing);
  const std::size_t liars = (jury_.size() - 1) / 2;
  out_.region = jury_.hull(jury_.size() - liars);
  return Agreement::kFound;
}

Cause Round::judge(std::size_t i, std::span<const Interval> groups) const {
  const Interval interval = candidates_[i].interval();
  const auto agreed = std::count_if(groups.begin(), groups.end(), [&](const Interval& group) {
    return interval.overlaps(group);
  });
  if (agreed == 0) return Cause::kFalseticker;
  // In a part of the groups only: it can't be told whether it is right.
  if (static_cast<std::size_t>(agreed) < groups.size()) return Cause::kContested;
  if (!is_juror(i) && !Interval{groups.front().low, groups.back().high}.contains(interval)) {
    return Cause::kDistrusted;
  }
  return Cause::kWaitsForOthers;
}

void Round::judge_all(std::size_t agreeing) {
  const auto groups = jury_.stretches(agreeing);
  const std::span<const Interval> all(groups.begin(), groups.size());
  bool bridged = false;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!votes(i)) continue;
    out_.causes[i] = judge(i, all);
    bridged = bridged || survives(i);
  }
  if (bridged) return;
  // More than two groups, and nobody agrees with each: the jurors who agree with any are used.
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (out_.causes[i] == Cause::kContested && is_juror(i)) {
      out_.causes[i] = Cause::kWaitsForOthers;
    }
  }
}

bool Round::requirement_met() const {
  bool required =
      absent_.require || (config_.auth == AuthSelection::kMix && absent_.authenticated &&
                          std::any_of(candidates_.begin(), candidates_.end(),
                                      [](const Candidate& it) { return !it.authenticated; }));
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!out_.options[i].require) continue;
    if (survives(i)) return true;
    required = true;
  }
  return !required;
}

Agreement Round::count_survivors() {
  // Contested ones count for the number: some of them are right, only nobody knows which. Else one
  // liar who contradicts one honest source could keep the client from having any reference.
  Intersection agreed;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (survives(i)) ++out_.survivors;
    if (survives(i) || out_.causes[i] == Cause::kContested) {
      CHECK(agreed.add(candidates_[i].interval()));
    }
  }
  // Nobody survives where only remembered jurors make the majority.
  const bool enough = out_.survivors > 0 && agreed.most() >= config_.min_sources;
  const bool required = requirement_met();
  if (enough && required && dates_hold()) return Agreement::kFound;
  out_.survivors = 0;
  if (!enough) return Agreement::kTooFew;
  return required ? Agreement::kUnchecked : Agreement::kNotRequired;
}

// One stolen key of a certificate that has ended long ago is easier to come by than several.
bool Round::dates_hold() const {
  bool any = false;
  std::size_t proved = 0;
  std::size_t sure = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& it = candidates_[i];
    if (!survives(i)) continue;
    any = any || it.unchecked;
    if (it.authenticated || it.refclock) ++(it.unchecked ? proved : sure);
  }
  return !any || sure >= config_.min_sources || proved + sure >= config_.unchecked_quorum;
}

void Round::heed_preference() {
  bool any = false;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    any = any || (survives(i) && out_.options[i].prefer);
  }
  mark_survivors(Cause::kCombined);
  for (std::size_t i = 0; any && i < candidates_.size(); ++i) {
    if (survives(i) && !out_.options[i].prefer) out_.causes[i] = Cause::kNotPreferred;
  }
}

// Small is good, and above zero.
double Round::cost(std::size_t i) const {
  const Candidate& it = candidates_[i];
  Duration out = it.distance + config_.stratum_weight * it.stratum;
  if (!it.was_selected) out += config_.reselect_distance;
  return std::max(out.to_seconds(), 1e-9);
}

std::size_t Round::cheapest() const {
  std::size_t best = candidates_.size();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!is_used(out_.causes[i])) continue;
    if (best == candidates_.size() || cost(i) < cost(best)) best = i;
  }
  CHECK(best < candidates_.size());
  return best;
}

// Keeps the scores; the one that is clearly better than `incumbent`, or it itself.
std::size_t Round::challenger(std::size_t incumbent) {
  std::size_t best = incumbent;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (i == incumbent || !is_used(out_.causes[i])) continue;
    double score = candidates_[i].score;
    if (candidates_[i].updated || candidates_[incumbent].updated) {
      score = std::clamp(score * cost(incumbent) / cost(i), 1.0, kMaxScore);
    }
    out_.scores[i] = score;
    if (score > std::max(kScoreLimit, best == incumbent ? 0.0 : out_.scores[best])) best = i;
  }
  return best;
}

void Round::choose() {
  std::size_t incumbent = candidates_.size();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i].was_selected && is_used(out_.causes[i])) incumbent = i;
  }
  out_.selected = incumbent < candidates_.size() ? challenger(incumbent) : cheapest();
  if (out_.selected != incumbent) {
    for (double& score : out_.scores) score = 1;
  }
  out_.causes[out_.selected] = Cause::kSelected;
}

void Round::limit_combination() {
  const double limit = candidates_[out_.selected].distance.to_seconds() * config_.combine_limit;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (out_.causes[i] == Cause::kCombined && candidates_[i].distance.to_seconds() > limit) {
      out_.causes[i] = Cause::kTooFarToCombine;
    }
  }
}

// RFC 5905 11.2.3, equation (16): weights are the inverse of the root distance.
void Round::combine() {
  const Duration base = candidates_[out_.selected].offset;
  double sum = 0;
  double weights = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!is_used(out_.causes[i])) continue;
    const double weight = 1.0 / std::max(candidates_[i].distance.to_seconds(), 1e-9);
    // Relative to the selected one, so that a large common offset costs no digits.
    sum += weight * (candidates_[i].offset - base).to_seconds();
    weights += weight;
  }
  out_.offset = out_.region.clamp(base + Duration::from_seconds(sum / weights));
  out_.uncertainty = out_.region.reach_from(out_.offset);
}

}  // namespace

std::string_view name_of(Agreement agreement) {
  constexpr std::string_view kNames[] = {"found",   "nobody",       "no_majority", "undecided",
                                         "too_few", "not_required", "unchecked"};
  return kNames[static_cast<std::size_t>(agreement)];
}

Selection select(std::span<const Candidate> candidates, const Absent& absent,
                 const SelectionConfig& config) {
  CHECK(candidates.size() <= kMaxCandidates);
  return Round(candidates, absent, config).run();
}

}  // namespace timepool::ntp
