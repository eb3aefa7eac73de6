#include "ntp/timekeeper.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace timepool::ntp {
namespace {

// Suspended time is the difference of two clocks read one after the other.
constexpr Duration kLeastSuspend = Duration::milliseconds(10);
// The kernel's: 2^-16 ppm, and a little for rounding.
constexpr double kRateUnit = 1.6e-11;
// Samples are dropped for another program's sake at most once in this time.
constexpr Duration kForeignRest = Duration::seconds(1024);

// The pace of raw time is known by so many standard deviations, and not better than this.
constexpr double kPaceDeviations = 3;
constexpr std::int64_t kLeastPaceError = 1'000;

double initial_rate(ClockControl& clock) {
  if (!clock.steers()) return 0;
  const Result<ClockState> state = clock.state();
  return state.ok() ? state->rate : 0;
}

void add_event(EventKind kind, Duration amount, Outbox& out) {
  Event event;
  event.kind = kind;
  event.amount = amount;
  out.event(event);
}

}  // namespace

Timekeeper::Timekeeper(const TimekeeperConfig& config, ClockControl& clock, const ClockReading& now,
                       SourceSet::AuthenticatorFactory factory)
    : config_(config),
      clock_(clock),
      local_(now, initial_rate(clock)),
      sources_(config.sources, std::move(factory)),
      discipline_(config.discipline, config.frequency.value_or(local_.rate()),
                  config.frequency ? config.frequency_sd : 1),
      leap_(config.leap),
      suspended_(now.suspended),
      rate_set_(local_.rate()) {}

MonoTime Timekeeper::next_deadline() const {
  return std::min({sources_.next_deadline(), discipline_.next_deadline(), leap_deadline_});
}

// B27: a clock that lost its time, for want of a battery, begins where it is known to have been.
void Timekeeper::begin(const ClockReading& now, Outbox& out) {
  begun_ = true;
  const CorrectionRules& rules = config_.discipline.rules;
  const UnixTime earliest = std::max(rules.floor, rules.last_good);
  if (!clock_.steers()) return;
  if (now.system < earliest) {
    step(earliest - now.system, out);
    discipline_.clock_lost_its_time();
  }
  if (config_.frequency) set_rate(*config_.frequency, out);
}

// Each look at the clocks: has somebody else moved them?
LocalTime Timekeeper::look(const ClockReading& now, Outbox& out) {
  if (!begun_) {
    begin(now, out);
    return local_.local(now.mono);
  }
  const Duration slept = now.suspended - suspended_;
  if (slept.abs() > kLeastSuspend) {
    local_.slept(now.mono, slept);
    sources_.handle_time_lost(now.mono);
    discipline_.handle_time_lost();
    suspended_ = now.suspended;
    add_event(EventKind::kResumed, slept, out);
  }
  if (pass_leap(now, out)) return local_.local(now.mono);
  const Duration stepped = local_.unexplained(now);
  if (stepped.abs() > kStepThreshold) {
    local_.stepped(now.mono, stepped);
    sources_.handle_clock_step();
    if (clock_.steers()) ++interferences_;
    add_event(EventKind::kClockStepped, stepped, out);
  }
  return local_.local(now.mono);
}

void Timekeeper::handle_timer(const ClockReading& now, RandomStream& random, Outbox& out) {
  const LocalTime found = look(now, out);
  const LocalTime local = look_for_interference(now.mono, out) ? local_.local(now.mono) : found;
  const std::uint64_t samples = sources_.refclock_samples();
  tell_own_clock(local);
  sources_.handle_timer(local, random, out);
  if (sources_.refclock_samples() != samples) update(now, out);
  if (now.mono >= discipline_.next_deadline()) {
    carry_out(discipline_.handle_timer(local_, local), out);
    if (discipline_.next_deadline() == MonoTime::max()) leap_in_slew_ = false;
  }
  plan_leap(now, out);
}

ReplyReason Timekeeper::handle_datagram(AssociationId association, const SystemRx& rx,
                                        Bytes datagram, RandomStream& random, Outbox& out) {
  const ReplyRx raw = begin_datagram(rx, out);
  return end_datagram(sources_.handle_datagram(association, raw, datagram, random, out), rx, out);
}

ReplyReason Timekeeper::handle_broadcast(SourceId source, const Endpoint& from, const SystemRx& rx,
                                         Bytes datagram, RandomStream& random, Outbox& out) {
  const ReplyRx raw = begin_datagram(rx, out);
  return end_datagram(sources_.handle_broadcast(source, from, raw, datagram, random, out), rx, out);
}

ReplyRx Timekeeper::begin_datagram(const SystemRx& rx, Outbox& out) {
  const LocalTime local = look(rx.now, out);
  tell_own_clock(local);
  return {local, local_.raw(rx.received), rx.source, rx.error, passage_.nearness(utc(rx.now))};
}

ReplyReason Timekeeper::end_datagram(ReplyReason reason, const SystemRx& rx, Outbox& out) {
  if (reason == ReplyReason::kAccepted) {
    update(rx.now, out);
    plan_leap(rx.now, out);
  }
  return reason;
}

RefclockReason Timekeeper::handle_refclock(AssociationId id, RefclockReason reason,
                                           const RefclockReading& reading, const ClockReading& now,
                                           Outbox& out) {
  const LocalTime local = look(now, out);
  // By the reference clock's own time: ours may be years off.
  const std::optional<int> tai = leap_.tai_offset(reading.local + reading.offset);
  sources_.set_tai_offset(tai ? std::optional(Duration::seconds(*tai)) : std::nullopt);
  RefclockReading raw = reading;
  raw.local = local_.raw(reading.local);
  raw.offset += reading.local - raw.local;
  return sources_.handle_refclock(id, reason, raw, local);
}

void Timekeeper::tell_own_clock(LocalTime now) {
  if (!announced_) return;
  OwnClock own;
  own.state = *announced_;
  own.correction = local_.correction(now.raw);
  own.pace.error_ppb = config_.sources.exchange.clock_error_ppb;
  const Tracking tracking = sources_.tracking(now.mono);
  if (tracking.synchronised && tracking.clock.has_frequency) {
    own.pace.frequency = tracking.clock.frequency;
    const double known = tracking.clock.frequency_sd * kPaceDeviations * 1e9;
    const auto most = static_cast<double>(own.pace.error_ppb);
    own.pace.error_ppb = kLeastPaceError + static_cast<std::int64_t>(std::min(known, most));
  }
  sources_.set_own_clock(own);
}

void Timekeeper::release(Outbox& out) {
  if (clock_.steers()) set_rate(discipline_.base_rate(), out);
}

RunMoment Timekeeper::moment_of(const OscillatorReading& now) const {
  const UnixTime raw = local_.local(now.mono).raw;
  return {now.boot, now.oscillator, raw, local_.system(raw), now.suspended};
}

SavedSamples Timekeeper::save_samples(const OscillatorReading& now) const {
  return {moment_of(now), sources_.windows()};
}

Result<void, StaleSamples> Timekeeper::resume(SavedSamples saved, const OscillatorReading& now) {
  const auto moved = carry_over(saved, moment_of(now), now.mono);
  if (moved.ok()) sources_.set_saved(std::move(saved.windows));
  return moved;
}

void Timekeeper::update(const ClockReading& now, Outbox& out) {
  const Tracking tracking = sources_.tracking(now.mono);
  if (!tracking.synchronised) return;
  const LocalTime local = local_.local(now.mono);
  record_.update(tracking.clock,
                 tracking.clock.offset_at(local.raw) - local_.correction(local.raw));
  if (!clock_.steers()) return count_update(now, out);
  if (look_for_interference(now.mono, out)) return;
  handle(discipline_.update(tracking.clock, local_, local), out);
  corrected_ = local.raw;
  tell_status(now.mono, out);
  if (is_correction(discipline_.verdict())) count_update(now, out);
}

void Timekeeper::count_update(const ClockReading& now, Outbox& out) {
  ++updates_;
  if (updates_ < config_.certificates.unchecked_updates) return;
  sources_.judge_certificates(*agreed_time(now.mono), now.mono, out);
}

std::optional<UnixTime> Timekeeper::agreed_time(MonoTime now) const {
  const Tracking tracking = sources_.tracking(now);
  if (tracking.association == 0) return std::nullopt;
  return local_.local(now).raw + tracking.offset;
}

nts::DateRule Timekeeper::certificate_dates(const ClockReading& now) const {
  // What was agreed on, and then refused as a correction, is no time to judge others by.
  const bool agreed = updates_ > 0 || !clock_.steers();
  return nts::date_rule(config_.certificates, updates_,
                        agreed ? agreed_time(now.mono) : std::nullopt, now.system);
}

// Whoever else sets the rate makes raw time wrong from a moment that nobody knows: what is found is
// taken over, and what was measured before is dropped.
bool Timekeeper::look_for_interference(MonoTime now, Outbox& out) {
  if (!clock_.steers()) return false;
  const Result<ClockState> state = clock_.state();
  if (!state.ok()) return false;
  const bool foreign = std::abs(state->rate - rate_set_) > kRateUnit;
  const bool disturbed = state->moved_by_others;
  if (foreign || (disturbed && !disturbed_)) {
    ++interferences_;
    add_event(EventKind::kClockForeign, Duration(), out);
  }
  disturbed_ = disturbed;
  if (!foreign) return false;
  local_.rate_changed(now, state->rate);
  rate_set_ = state->rate;
  // Against somebody who does it all the time nothing helps, and bursts would be abuse.
  if (last_foreign_ && now - *last_foreign_ < kForeignRest) return false;
  last_foreign_ = now;
  sources_.handle_time_lost(now);
  discipline_.handle_time_lost();
  return true;
}

void Timekeeper::handle(const Steering& steering, Outbox& out) {
  const bool refused =
      !is_correction(steering.verdict) && steering.verdict != CorrectionVerdict::kIgnored;
  if (refused && !refused_) add_event(EventKind::kClockRefused, steering.offset, out);
  if (steering.verdict != CorrectionVerdict::kIgnored) refused_ = refused;
  carry_out(steering, out);
}

bool Timekeeper::accept_step(const ClockReading& now, Outbox& out) {
  const LocalTime local = look(now, out);
  if (!clock_.steers() || !discipline_.estimate() || !sources_.tracking(now.mono).synchronised) {
    return false;
  }
  handle(discipline_.accept(local_, local), out);
  tell_status(now.mono, out);
  return true;
}

void Timekeeper::carry_out(const Steering& steering, Outbox& out) {
  if (!set_rate(steering.rate, out)) return;
  if (steering.step != Duration()) step(steering.step, out);
}

bool Timekeeper::set_rate(double rate, Outbox& out) {
  Result<RateChange> changed = clock_.set_rate(rate);
  if (!changed.ok()) {
    failed(std::move(changed).error(), out);
    return false;
  }
  local_.rate_changed(changed->at.mono, changed->rate);
  rate_set_ = changed->rate;
  return true;
}

void Timekeeper::step(Duration by, Outbox& out) {
  Result<ClockReading> after = clock_.step(by);
  if (!after.ok()) return failed(std::move(after).error(), out);
  local_.stepped(after->mono, by);
  sources_.handle_clock_step();
  add_event(EventKind::kClockSet, by, out);
}

void Timekeeper::tell_status(MonoTime now, Outbox& out) {
  const Tracking tracking = sources_.tracking(now);
  ClockStatus status;
  // The kernel copies the time to the battery-backed clock while it is told that it is right.
  status.synchronised = tracking.synchronised && is_correction(discipline_.verdict());
  told_leap_ = passage_.for_kernel(leap_.config().mode);
  if (told_leap_) status.leap = indicator_of(*passage_.planned());
  status.estimated_error = tracking.jitter;
  status.maximum_error = tracking.root_dispersion + tracking.root_delay / 2 +
                         discipline_.remaining(local_, local_.local(now)).abs();
  Result<void> told = clock_.set_status(status);
  if (!told.ok()) failed(std::move(told).error(), out);
}

void Timekeeper::failed(Error error, Outbox& out) {
  failure_ = std::move(error);
  add_event(EventKind::kClockFailed, Duration(), out);
}

std::optional<ServerState> Timekeeper::server_state(MonoTime now) const {
  const Tracking tracking = sources_.tracking(now);
  if (!clock_.steers() || !(tracking.synchronised || holds_over(tracking)) ||
      !is_correction(discipline_.verdict()) || tracking.stratum >= wire::ntp::kMaxStratum) {
    return std::nullopt;
  }
  ServerState out;
  // While nobody is heard the bits are the caller's to set.
  out.leap = tracking.synchronised ? tracking.leap : wire::ntp::Leap::kNone;
  out.stratum = tracking.stratum;
  out.precision = config_.sources.exchange.precision;
  out.reference_id = tracking.reference_id;
  out.root_delay = tracking.root_delay;
  // RFC 5905 11.2: what is still to be corrected is an error of the clock that is served.
  out.root_dispersion =
      tracking.root_dispersion + discipline_.remaining(local_, local_.local(now)).abs();
  out.reference_time = local_.system(corrected_);
  out.made = local_.system_at(now);
  return out;
}

// Silence makes a good clock bad slowly, as the root dispersion tells. Whom the sources contradict
// does not know the time; nor does an orphan's follower, who never had it.
bool Timekeeper::holds_over(const Tracking& tracking) const {
  const Agreement agreement = sources_.agreement();
  return tracking.association != 0 && discipline_.estimate() &&
         (agreement == Agreement::kNobody || agreement == Agreement::kTooFew) &&
         tracking.stratum <= sources_.selection_config().orphan_stratum;
}

LeapBacklog Timekeeper::leap_backlog(MonoTime now) const {
  if (!leap_in_slew_ || discipline_.next_deadline() == MonoTime::max()) return {};
  const double rate = local_.rate();
  return {discipline_.remaining(local_, local_.local(now)),
          (discipline_.base_rate() - rate) / (1 + rate)};
}

std::vector<SourceReport> Timekeeper::reports(MonoTime now) const {
  std::vector<SourceReport> out = sources_.reports(now);
  const LocalTime local = local_.local(now);
  for (SourceReport& report : out) {
    if (report.last_answer) {
      Sample& answer = report.last_answer->sample;
      answer.offset -= local_.correction(answer.at.raw);
    }
    if (!report.has_estimate) continue;
    Estimate& estimate = report.estimate;
    estimate.offset -= local_.correction(local.raw);
    estimate.last_offset -= local_.correction(estimate.at.raw);
    estimate.sample.offset -= local_.correction(estimate.sample.at.raw);
  }
  return out;
}

Tracking Timekeeper::tracking(MonoTime now) const {
  Tracking out = sources_.tracking(now);
  const LocalTime local = local_.local(now);
  out.offset = discipline_.estimate() ? discipline_.remaining(local_, local)
                                      : out.offset - local_.correction(local.raw);
  return out;
}

}  // namespace timepool::ntp
