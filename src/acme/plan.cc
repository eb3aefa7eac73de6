#include "acme/plan.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace timepool::acme {
namespace {

constexpr Duration kShortLife = Duration::seconds(10 * 86'400);
constexpr Duration kDay = Duration::seconds(86'400);

Duration part(Duration whole, double share) {
  return Duration::from_seconds(whole.to_seconds() * share);
}

// Whose turn it is: the first that has not failed too often, else the one that may be asked
// soonest.
struct Turn {
  std::string directory;
  UnixTime at;  // not before
};

Turn turn(const SavedState& state, const PlanSettings& settings) {
  CHECK(!settings.directories.empty());
  std::optional<Turn> soonest;
  for (const std::string& directory : settings.directories) {
    const SavedAuthority* known = state.find(directory);
    Turn one{directory, known == nullptr ? UnixTime() : known->next_try.value_or(UnixTime())};
    if (known == nullptr || known->failures < kFailuresOfOne) return one;
    if (!soonest || one.at < soonest->at) soonest = std::move(one);
  }
  return *soonest;
}

// What a person asked for waits for nothing but the authority's own wish, which is kept as a
// failure of that kind.
UnixTime earliest(const SavedState& state, const Turn& turn, bool asked) {
  if (!asked) return turn.at;
  const SavedAuthority* known = state.find(turn.directory);
  const bool limited = known != nullptr && known->last_failure &&
                       known->last_failure->kind == FailureKind::kRateLimited;
  return limited ? turn.at : UnixTime();
}

// When the certificate is to be renewed and why.
std::pair<UnixTime, Cause> due(const SavedState& state, const PlanSettings& settings) {
  const SavedCertificate& has = *state.certificate;
  if (has.names != settings.names) return {UnixTime(), Cause::kNames};
  const auto at =
      std::find(settings.directories.begin(), settings.directories.end(), has.directory);
  if (at == settings.directories.end()) return {UnixTime(), Cause::kAuthority};
  if (state.renewal) {
    // An authority's wish may be sooner than we should have thought, or later; but not so late
    // that the certificate ends.
    const UnixTime latest = has.not_after - part(has.not_after - has.not_before, 0.1);
    if (state.renewal->renew_at <= latest) return {state.renewal->renew_at, Cause::kWindow};
  }
  return {has.renew_at, Cause::kLifetime};
}

}  // namespace

std::string_view name_of(Cause cause) {
  constexpr std::array<std::string_view, 7> kNames = {"none",   "missing",  "names", "authority",
                                                      "window", "lifetime", "asked"};
  return kNames[static_cast<std::size_t>(cause)];
}

Duration retry_wait(std::uint32_t failures, std::optional<Duration> retry_after, double unit) {
  CHECK(failures > 0);
  // 2^12 times 30 s is more than a day.
  const std::uint32_t doublings = std::min<std::uint32_t>(failures - 1, 12);
  const Duration full = std::min(kFirstRetry * (std::int64_t{1} << doublings), kLongestRetry);
  const Duration ours = part(full, 0.5 + std::clamp(unit, 0.0, 1.0));
  return std::max(ours, std::min(retry_after.value_or(Duration()), kLongestRetryAfter));
}

UnixTime renewal_by_lifetime(UnixTime not_before, UnixTime not_after, double unit) {
  const Duration life = not_after - not_before;
  const double share = life < kShortLife ? 1.0 / 2 : 2.0 / 3;
  return not_before + part(life, share - std::clamp(unit, 0.0, 1.0) / 20);
}

bool is_expiring(UnixTime not_before, UnixTime not_after, UnixTime now) {
  const Duration life = not_after - not_before;
  return not_after - now <= (life < kShortLife ? kDay : part(life, 0.1));
}

Plan plan(const SavedState& state, const PlanSettings& settings, UnixTime now, bool clock_plausible,
          bool asked) {
  if (!clock_plausible) return {Step::kWaitForClock, {}, {}, Cause::kNone};
  const Turn next = turn(state, settings);
  UnixTime at;
  Cause cause = asked ? Cause::kAsked : Cause::kMissing;
  if (state.certificate && !asked) std::tie(at, cause) = due(state, settings);
  const UnixTime obtain = std::max(at, earliest(state, next, asked));
  if (now >= obtain) return {Step::kObtain, now, next.directory, cause};
  // While it has failed, renewal information would change nothing.
  if (!state.certificate || state.certificate->id.empty() || now >= at) {
    return {Step::kWait, obtain, next.directory, cause};
  }
  const UnixTime ask = state.ask_again.value_or(now);
  if (now >= ask) {
    return {Step::kAskForRenewal, now, state.certificate->directory, Cause::kNone};
  }
  return {Step::kWait, std::min(ask, obtain), next.directory, cause};
}

std::string replaced_id(const SavedState& state, const PlanSettings& settings,
                        std::string_view directory) {
  if (!state.certificate || state.certificate->directory != directory) return {};
  if (state.certificate->names != settings.names) return {};
  return state.renewal && state.renewal->replaced ? std::string() : state.certificate->id;
}

void note_failure(SavedState& state, std::string_view directory, const Failure& failure,
                  UnixTime now, double unit) {
  SavedAuthority& authority = state.authority(directory);
  ++authority.failures;
  authority.next_try = now + retry_wait(authority.failures, failure.retry_after, unit);
  authority.last_failure = SavedAuthority::LastFailure{now, failure.kind, failure.text};
}

void note_issued(SavedState& state, SavedCertificate certificate, double unit) {
  certificate.renew_at = renewal_by_lifetime(certificate.not_before, certificate.not_after, unit);
  for (SavedAuthority& it : state.authorities) {
    if (it.directory == certificate.directory) {
      it.failures = 0;
      it.next_try.reset();
      it.last_failure.reset();
    } else if (it.failures >= kFailuresOfOne) {
      it.failures = kFailuresOfOne - 1;
    }
  }
  state.certificate = std::move(certificate);
  state.renewal.reset();
  state.ask_again.reset();
}

void note_renewal(SavedState& state, const std::optional<RenewalWindow>& window, Duration again,
                  UnixTime now, double unit) {
  state.ask_again = now + again;
  if (!window) return;
  const bool same = state.renewal && state.renewal->window.start == window->start &&
                    state.renewal->window.end == window->end;
  // RFC 9773 4.2: one moment is chosen for one window.
  if (same) {
    state.renewal->window.explanation = window->explanation;
    return;
  }
  state.renewal = SavedRenewal{*window, chosen_time(*window, unit), false};
}

void tame(SavedState& state, UnixTime now) {
  const UnixTime latest_try = now + kLongestRetryAfter;
  for (SavedAuthority& it : state.authorities) {
    if (it.next_try) it.next_try = std::min(*it.next_try, latest_try);
  }
  if (state.ask_again) state.ask_again = std::min(*state.ask_again, now + kLongestAsk);
}

}  // namespace timepool::acme
