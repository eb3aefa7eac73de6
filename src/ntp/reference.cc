#include "ntp/reference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "ntp/combine.h"
#include "ntp/eligibility.h"
#include "ntp/four_times.h"
#include "ntp/frequency_bound.h"
#include "ntp/orphan.h"

namespace timepool::ntp {
namespace {

// Standard deviations within which a frequency is right.
constexpr double kFrequencyDoubt = 6;

// The sources that nobody measures yet.
Absent absent_of(const SourceTable& sources, const Members& members) {
  Absent out;
  for (const Source& source : sources) {
    if (source.undecided()) out.undecided += source.wanted();
    if (source.config().select.noselect || members.count_of(source.id()) > 0) continue;
    const SourceConfig& config = source.config();
    out.trust = out.trust || config.select.trust;
    out.require = out.require || config.select.require;
    (config.authenticated ? out.authenticated : out.unauthenticated) = true;
  }
  return out;
}

// RFC 5905 A.5.1.1 leaves the leap bits to the reference; the majority is harder to fool.
wire::ntp::Leap leap_of(const Selection& selection, const Members& members) {
  std::array<std::size_t, 4> votes{};
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_survivor(selection.causes[i])) continue;
    ++votes[static_cast<std::size_t>(members[i].measured().latest().leap)];
  }
  std::size_t leap = 0;
  for (std::size_t i = 1; i < 3; ++i) {
    if (2 * votes[i] > selection.survivors) leap = i;
  }
  return static_cast<wire::ntp::Leap>(leap);
}

// The frequencies of those who decide.
std::vector<FrequencyClaim> claims_of(const Selection& selection, const Members& members,
                                      MonoTime now) {
  std::vector<FrequencyClaim> trusted;
  std::vector<FrequencyClaim> all;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_voter(selection.causes[i])) continue;
    const Estimate estimate = members[i].measured().estimate(now);
    if (!estimate.has_frequency) continue;
    all.push_back({estimate.frequency, estimate.frequency_sd});
    if (selection.options[i].trust) trusted.push_back(all.back());
  }
  return trusted.empty() ? all : trusted;
}

// Of those who are combined.
ClockEstimate clock_of(const Selection& selection, const Members& members, LocalTime now) {
  std::vector<Estimate> estimates;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Cause cause = selection.causes[i];
    if (cause != Cause::kSelected && cause != Cause::kCombined) continue;
    estimates.push_back(members[i].measured().estimate(now.mono));
  }
  const std::optional<ClockEstimate> combined = combine(estimates, now);
  CHECK(combined);  // one is selected
  ClockEstimate out = *combined;
  // However sure a survivor looks, it moves the time no further than the majority allows.
  out.offset = std::clamp(out.offset, selection.region.low, selection.region.high);
  out.bound = selection.region.reach_from(out.offset);
  if (out.has_frequency) {
    out.frequency = bounded_frequency(out.frequency, claims_of(selection, members, now.mono));
  }
  out.sources = selection.survivors;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (is_survivor(selection.causes[i]) && members[i].authenticated()) ++out.authenticated;
  }
  return out;
}

// What it said before it fell silent still counts. Whoever is offline is so by command.
bool is_remembered(const Member& member, MonoTime now) {
  const bool online = !member.association || member.association->online();
  return online && member.measured().has_samples() && member.agreed &&
         now - *member.agreed < kRememberedFor;
}

// Whether what the next selections make of it while it is silent is that it agreed.
void remember(Member& member, const Candidate& candidate, Cause cause, MonoTime now) {
  if (!candidate.measured || cause == Cause::kUndecided) return;
  member.agreed = is_survivor(cause) ? std::optional(now) : std::nullopt;
}

}  // namespace

// One that never answered, or that no way leads to, is waited for no longer when patience is over.
bool Reference::decided(const Member& member, MonoTime now) const {
  if (member.association && member.association->heard()) return true;
  if (patient_ && (!patience_ends_ || now < *patience_ends_) && member.association) return false;
  // Nobody waits for one that is to take another's place: that one still speaks for both. Nor for a
  // server that a pool adds to those that speak already.
  if ((member.beside != 0 || member.late) && !member.proved) return true;
  return member.measured().decided() || member.unsent > 0;
}

void Reference::end_patience(std::span<const Candidate> candidates, bool found, MonoTime now) {
  if (!patient_) return;
  const bool any = std::any_of(candidates.begin(), candidates.end(),
                               [](const Candidate& it) { return it.measured; });
  if (any && !patience_ends_) patience_ends_ = now + kStartPatience;
  if (found || (patience_ends_ && now >= *patience_ends_)) {
    patient_ = false;
    patience_ends_.reset();
  }
}

void Reference::handle_time_lost() {
  patient_ = true;
  patience_ends_.reset();
}

Candidate Reference::candidate_of(const Member& member, const SourceTable& sources,
                                  MonoTime now) const {
  const Measured& measured = member.measured();
  Candidate out;
  if (const Source* source = sources.find(member.source)) out.options = source->config().select;
  if (member.is_refclock()) out.options = member.refclock->config().select;
  out.authenticated = member.authenticated();
  out.refclock = member.is_refclock();
  out.unchecked = member.nts != nullptr && member.certificate.judged == nts::DatesJudged::kNot;
  out.decided = decided(member, now);
  out.reachable = measured.reachable();
  out.synchronised = member.synchronised();
  out.measured = measured.measurable();
  out.was_selected = member.cause == Cause::kSelected;
  out.score = member.score;
  if (!member.is_refclock() && is_ourselves(member.server(), own_)) out.loop = Loop::kOurselves;
  const bool silent = !out.measured && is_remembered(member, now);
  if (!out.measured && !silent) return out;
  const Estimate estimate = measured.estimate(now);
  out.remembered = silent && estimate.distance <= config_.max_distance;
  out.stratum = estimate.sample.stratum;
  out.offset = estimate.offset;
  out.distance = estimate.distance;
  out.jitter = estimate.jitter;
  out.updated = measured.latest().at.mono != member.selected_with;
  if (out.loop == Loop::kNone && follows_us(out.stratum, estimate.sample.reference_id, own_)) {
    out.loop = Loop::kSynchronisedToUs;
  }
  return out;
}

// B17. Before there ever was a reference nobody knows what day it is.
void Reference::find_smears(const Members& members, LocalTime now,
                            std::span<Candidate> candidates) {
  if (tracking_.association == 0) return;
  std::vector<SmearWatch::Reading> readings;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Candidate& it = candidates[i];
    if (it.measured) readings.push_back({members[i].id, it.offset, it.updated});
  }
  smears_.update(now.raw + tracking_.offset, readings);
  for (std::size_t i = 0; i < members.size(); ++i) {
    candidates[i].smear_differs = smears_.differs(members[i].id);
  }
}

// When there is nobody else, the orphan who leads is used alone.
bool Reference::follow_orphan(const Members& members, const Absent& absent,
                              std::span<Candidate> candidates) const {
  if (config_.orphan_stratum >= wire::ntp::kMaxStratum) return false;
  const auto options = effective_options(candidates, absent, config_.auth);
  std::vector<OrphanClaim> claims;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::optional<Cause> cause = excluded(candidates[i], options[i], config_);
    if (!cause) return false;
    const bool claims_it = cause == Cause::kOrphan && candidates[i].measured &&
                           candidates[i].stratum == config_.orphan_stratum;
    if (!claims_it) continue;
    const IpAddress server = members[i].server().address;
    if (const auto own = own_id_towards(server, own_.addresses)) {
      claims.push_back({i, wire::ntp::ReferenceId::of_address(server).bits(), own->bits()});
    }
  }
  const std::optional<std::size_t> leader = leading_orphan(claims);
  if (leader) candidates[*leader].leads = true;
  return leader.has_value();
}

void Reference::update(const SourceTable& sources, Members& members, LocalTime now, Outbox& out) {
  std::vector<Candidate> candidates;
  candidates.reserve(members.size());
  for (const Member& member : members) {
    candidates.push_back(candidate_of(member, sources, now.mono));
  }
  find_smears(members, now, candidates);
  const Absent absent = absent_of(sources, members);
  SelectionConfig config = config_;
  if (follow_orphan(members, absent, candidates)) config.min_sources = 1;
  const Selection selection = select(candidates, absent, config);
  agreement_ = selection.agreement;
  for (std::size_t i = 0; i < members.size(); ++i) {
    Member& member = members[i];
    set_cause(member, selection.causes[i], out);
    member.options = selection.options[i];
    member.score = selection.scores[i];
    remember(member, candidates[i], selection.causes[i], now.mono);
    if (candidates[i].measured) member.selected_with = member.measured().latest().at.mono;
  }
  end_patience(candidates, selection.found(), now.mono);
  if (selection.found()) {
    take(selection, members, now, out);
    return;
  }
  if (tracking_.synchronised) out.event({EventKind::kNoMajority, 0, {}, ReplyReason::kAccepted});
  tracking_.synchronised = false;
  tracking_.leap = wire::ntp::Leap::kUnsynchronised;
  tracking_.survivors = 0;
}

void Reference::set_cause(Member& member, Cause cause, Outbox& out) const {
  const SourceStatus before = member.status;
  member.cause = cause;
  member.status = status_of(cause);
  if (member.status == before) return;
  const Event event{EventKind::kFalseticker, member.id, member.server(), member.last_reason()};
  if (member.status == SourceStatus::kFalseticker) out.event(event);
  if (member.status == SourceStatus::kSmeared) {
    Event smeared = event;
    smeared.kind = EventKind::kSmeared;
    out.event(smeared);
  }
  if (before == SourceStatus::kFalseticker && member.status != SourceStatus::kUnusable) {
    Event again = event;
    again.kind = EventKind::kTruechimer;
    out.event(again);
  }
}

void Reference::take(const Selection& selection, const Members& members, LocalTime now,
                     Outbox& out) {
  const Member& member = members[selection.selected];
  const Estimate estimate = member.measured().estimate(now.mono);
  if (!tracking_.synchronised || tracking_.association != member.id) {
    out.event({EventKind::kSelected, member.id, member.server(), ReplyReason::kAccepted});
  }
  tracking_.synchronised = true;
  tracking_.association = member.id;
  tracking_.server = member.server();
  tracking_.leap = leap_of(selection, members);
  tracking_.stratum = static_cast<std::uint8_t>(estimate.sample.stratum + 1);
  tracking_.reference_id = member.is_refclock()
                               ? member.refclock->config().reference_id
                               : wire::ntp::ReferenceId::of_address(member.server().address);
  tracking_.updated = now;
  tracking_.clock = clock_of(selection, members, now);
  tracking_.offset = tracking_.clock.offset;
  tracking_.uncertainty = tracking_.clock.bound;
  tracking_.root_delay = estimate.sample.root_delay + estimate.sample.delay;
  tracking_.root_dispersion =
      estimate.sample.root_dispersion + estimate.dispersion + estimate.jitter;
  tracking_.jitter = estimate.jitter;
  tracking_.survivors = selection.survivors;
}

Tracking Reference::tracking(MonoTime now) const {
  Tracking out = tracking_;
  Duration drift = drift_over(now - out.updated.mono, clock_error_ppb_);
  if (out.clock.has_frequency) {
    // The clock keeps to its stated error about zero; about the frequency only as far as that is
    // right.
    const double since = (now - out.updated.mono).to_seconds();
    const double rate = out.clock.frequency;
    out.offset += Duration::from_seconds(rate * since);
    const double doubt = std::min(std::abs(rate), kFrequencyDoubt * out.clock.frequency_sd);
    drift += Duration::from_seconds(doubt * std::max(since, 0.0));
  }
  out.uncertainty += drift;
  out.root_dispersion += drift;
  return out;
}

}  // namespace timepool::ntp
