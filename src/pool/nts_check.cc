#include "pool/nts_check.h"

#include <algorithm>
#include <array>

namespace timepool::pool {
namespace {

constexpr std::array<std::string_view, kNtsOutcomes> kOutcomeNames{
    "ok",
    "wrong_address",
    "connect_failed",
    "tls_failed",
    "no_alpn",
    "untrusted",
    "name_mismatch",
    "certificate_expired",
    "not_yet_valid",
    "ke_error",
    "ke_malformed",
    "too_few_cookies",
    "no_reply",
    "not_authenticated",
    "nts_nak",
    "kiss",
    "wrong_time",
};
constexpr std::array<std::string_view, 5> kStateNames{"unnamed", "waiting", "confirmed", "failing",
                                                      "removed"};

// Found good: the last check was, or it is confirmed and has not failed often enough yet.
bool is_good(NtsState state, const NtsOpinion& opinion, const NtsRules& rules) {
  if (opinion.last == NtsOutcome::kOk) return true;
  return state == NtsState::kConfirmed && opinion.failures < rules.max_failures;
}

// The commonest outcome but kOk; of equally common ones the first in the order of the steps.
NtsOutcome commonest(const std::array<std::size_t, kNtsOutcomes>& counts) {
  const auto most = std::max_element(counts.begin() + 1, counts.end());
  return *most == 0 ? NtsOutcome::kOk : static_cast<NtsOutcome>(most - counts.begin());
}

}  // namespace

std::string_view name_of(NtsOutcome outcome) {
  return kOutcomeNames[static_cast<std::size_t>(outcome)];
}

std::optional<NtsOutcome> nts_outcome_named(std::string_view name) {
  const auto at = std::find(kOutcomeNames.begin(), kOutcomeNames.end(), name);
  if (at == kOutcomeNames.end()) return std::nullopt;
  return static_cast<NtsOutcome>(at - kOutcomeNames.begin());
}

std::string_view name_of(NtsState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

NtsState nts_state_named(std::string_view name) {
  const auto at = std::find(kStateNames.begin(), kStateNames.end(), name);
  if (at == kStateNames.end()) return NtsState::kUnnamed;
  return static_cast<NtsState>(at - kStateNames.begin());
}

NtsVerdict judge(NtsState state, std::span<const NtsOpinion> opinions, std::size_t active_monitors,
                 const NtsRules& rules, UnixTime now) {
  std::size_t voters = 0;
  std::size_t good = 0;
  std::size_t bad = 0;
  std::array<std::size_t, kNtsOutcomes> outcomes{};
  for (const NtsOpinion& opinion : opinions) {
    if (now - opinion.time > rules.window) continue;
    ++voters;
    good += is_good(state, opinion, rules) ? 1U : 0U;
    bad += opinion.failures >= rules.max_failures ? 1U : 0U;
    ++outcomes[static_cast<std::size_t>(opinion.last)];
  }
  const std::size_t needed =
      std::max(voters, std::min<std::size_t>(rules.min_monitors, active_monitors));
  if (voters > 0 && good * 2 > needed) return {NtsState::kConfirmed, NtsOutcome::kOk};
  if (bad * 2 > voters) return {NtsState::kFailing, commonest(outcomes)};
  return {state, commonest(outcomes)};
}

}  // namespace timepool::pool
