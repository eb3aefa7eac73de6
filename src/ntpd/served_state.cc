#include "ntpd/served_state.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntpd {
namespace {

using wire::ntp::Leap;
using wire::ntp::ReferenceId;

// How often the served clock counts as looked at: its dispersion grows by 15 us/s from then on, so
// that the claim stays below 1 ms.
constexpr Duration kRefresh = Duration::seconds(16);
// B23: 127.127.127.127, "not you", as it is proposed in draft-ietf-ntp-refid-updates.
constexpr ReferenceId kHidden = ReferenceId::from_bits(0x7f7f7f7f);
// The reference time of a server that hides it: no finer than this.
constexpr Duration kHiddenGrain = Duration::seconds(64);

ntp::LocalRules rules_of(const config::NtpLocalConfig& config) {
  ntp::LocalRules out;
  out.stratum = static_cast<std::uint8_t>(config.stratum);
  out.reference_id = ReferenceId::from_text(config.refid);
  out.root_dispersion = config.root_dispersion;
  out.distance = config.distance;
  out.activate = config.activate;
  out.wait_synced = config.wait_synced;
  out.wait_unsynced = config.wait_alone();
  return out;
}

ntp::LeapSmearConfig smear_of(const config::NtpSmearConfig& config) {
  const bool cosine = config.shape == config::NtpSmearShape::kCosine;
  return {cosine ? ntp::SmearShape::kCosine : ntp::SmearShape::kLinear, config.window};
}

}  // namespace

ServedState::ServedState(const config::NtpServerConfig& config, int precision)
    : precision_(static_cast<std::int8_t>(precision)) {
  set_config(config);
}

void ServedState::set_config(const config::NtpServerConfig& config) {
  if (!config.local) {
    local_.reset();
  } else if (local_) {
    local_->set_rules(rules_of(*config.local));
  } else {
    local_.emplace(rules_of(*config.local));
  }
  if (!config.smear) {
    smear_.reset();
  } else if (!smear_ || config.smear != config_.smear) {
    smear_.emplace(smear_of(*config.smear));
  }
  config_ = config;
}

ntp::ServerState ServedState::choose(const ntp::ClockReading& now, const ClockView& view) {
  if (local_ && local_->takes_over(view.kept, now.system, now.mono)) {
    return local_->state(now.system);
  }
  const bool good =
      view.kept && ntp::root_distance_at(*view.kept, now.system) <= config_.max_root_distance;
  if (good) return *view.kept;
  ntp::ServerState out;
  out.made = now.system;
  return out;
}

ntp::ServerState ServedState::make(const ntp::ClockReading& now, const ClockView& view) {
  ntp::ServerState out = choose(now, view);
  out.precision = precision_;
  out.test_offset = config_.test.offset;
  if (out.synchronised()) {
    out.leap = view.leap != nullptr ? view.leap->announcement(now.system) : Leap::kNone;
  }
  if (config_.hide_refid) hide(out);
  if (smear_) smear(now, view, out);
  return out;
}

// Rounding makes the clock look older, never newer, and its error bound stays what it is.
void ServedState::hide(ntp::ServerState& state) const {
  if (!state.synchronised()) return;
  state.reference_id = kHidden;
  const std::int64_t grain = kHiddenGrain.ns();
  state.reference_time = UnixTime::from_ns(state.made->ns() / grain * grain);
}

// B16: whoever smears announces no leap, not even on another day.
void ServedState::smear(const ntp::ClockReading& now, const ClockView& view,
                        ntp::ServerState& state) {
  ntp::LeapKnowledge known;
  if (view.leap != nullptr) {
    if (view.leap->table()) known.table = &*view.leap->table();
    known.applied = view.leap->applied();
    known.backlog = view.backlog;
  }
  state.shift = smear_->shift(now, known);
  if (!state.synchronised()) return;
  state.leap = Leap::kNone;
  const std::optional<Duration> departure = smear_->departure();
  if (!departure) return;
  // What is served is that far from UTC, whatever the reason.
  state.reference_id = ntp::smear_reference_id(*departure);
  state.root_dispersion += departure->abs();
  state.dispersion_ppb += std::llround(std::abs(state.shift.rate) * 1e9);
}

Duration ServedState::good_for(UnixTime now) const {
  // B13: at midnight a leap is announced, or no longer.
  const Duration out = std::min(kRefresh, ntp::next_midnight(now) - now);
  return smear_ && smear_->departure() ? std::min(out, smear_->interval()) : out;
}

std::uint8_t orphan_stratum(const std::optional<config::NtpServerConfig>& server) {
  const bool orphan = server && server->local && server->local->orphan;
  return orphan ? static_cast<std::uint8_t>(server->local->stratum) : wire::ntp::kMaxStratum;
}

}  // namespace timepool::ntpd
