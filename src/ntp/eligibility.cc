#include "ntp/eligibility.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::ntp {
namespace {

bool any_authenticated(std::span<const Candidate> candidates, const Absent& absent) {
  return absent.authenticated ||
         std::any_of(candidates.begin(), candidates.end(),
                     [](const Candidate& it) { return it.authenticated && !it.refclock; });
}

bool any_unauthenticated(std::span<const Candidate> candidates, const Absent& absent) {
  return absent.unauthenticated ||
         std::any_of(candidates.begin(), candidates.end(),
                     [](const Candidate& it) { return !it.authenticated && !it.refclock; });
}

// A table of named predicates: the first that holds is the cause.
struct Rule {
  Cause cause;
  bool (*holds)(const Candidate& it, const SelectionConfig& config);
};

constexpr Rule kRules[] = {
    {Cause::kOurselves,
     [](const Candidate& it, const SelectionConfig&) { return it.loop == Loop::kOurselves; }},
    {Cause::kNoSamples,
     [](const Candidate& it, const SelectionConfig&) { return !it.measured && !it.decided; }},
    {Cause::kUnsynchronised,
     [](const Candidate& it, const SelectionConfig&) { return !it.synchronised; }},
    {Cause::kUnreachable,
     [](const Candidate& it, const SelectionConfig&) { return !it.reachable && !it.remembered; }},
    {Cause::kNoSamples,
     [](const Candidate& it, const SelectionConfig&) { return !it.measured && !it.remembered; }},
    {Cause::kLoop, [](const Candidate& it,
                      const SelectionConfig&) { return it.loop == Loop::kSynchronisedToUs; }},
    {Cause::kStratum,
     [](const Candidate& it, const SelectionConfig& config) {
       return it.stratum < config.min_stratum || it.stratum > config.max_stratum;
     }},
    {Cause::kTooDistant,
     [](const Candidate& it, const SelectionConfig& config) {
       return it.distance > config.max_distance;
     }},
    {Cause::kTooVariable,
     [](const Candidate& it, const SelectionConfig& config) {
       return it.jitter > config.max_jitter;
     }},
    {Cause::kSmeared, [](const Candidate& it, const SelectionConfig&) { return it.smear_differs; }},
    {Cause::kOrphan,
     [](const Candidate& it, const SelectionConfig& config) {
       return it.stratum >= config.orphan_stratum && !it.refclock && !it.leads;
     }},
    {Cause::kRemembered, [](const Candidate& it, const SelectionConfig&) { return it.remembered; }},
};

}  // namespace

StaticVector<SelectOptions, kMaxCandidates> effective_options(std::span<const Candidate> candidates,
                                                              const Absent& absent,
                                                              AuthSelection auth) {
  const bool authenticated = any_authenticated(candidates, absent);
  const bool mixed = authenticated && any_unauthenticated(candidates, absent);
  StaticVector<SelectOptions, kMaxCandidates> out;
  for (const Candidate& it : candidates) {
    SelectOptions options = it.options;
    const bool proved = it.authenticated || it.refclock;
    if (auth == AuthSelection::kRequire && !proved) options.noselect = true;
    if (auth == AuthSelection::kPrefer && authenticated && !proved) options.noselect = true;
    if (auth == AuthSelection::kMix && mixed && proved) {
      options.trust = true;
      options.require = true;
    }
    CHECK(out.push_back(options));
  }
  return out;
}

std::optional<Cause> excluded(const Candidate& candidate, const SelectOptions& options,
                              const SelectionConfig& config) {
  if (candidate.options.noselect) return Cause::kNoselect;
  if (options.noselect) return Cause::kNotAuthentic;
  for (const Rule& rule : kRules) {
    if (rule.holds(candidate, config)) return rule.cause;
  }
  return std::nullopt;
}

}  // namespace timepool::ntp
