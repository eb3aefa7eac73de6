#include <boost/json.hpp>

#include "ntpd/report.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;

std::string clock_mode(const Halves& halves) {
  return halves.client != nullptr && halves.client->keeper().steers() ? "steer" : "observe";
}

namespace {

constexpr double kPpm = 1e6;

// What the estimates of our clock say and how they turned out. Frequencies are chrony's: positive
// where the clock, left alone, runs fast.
void add_clock(const ntp::Timekeeper& keeper, json::object& out) {
  const ntp::ClockRecord& record = keeper.record();
  out["updates"] = record.updates();
  if (!record.estimate()) return;
  const ntp::ClockEstimate& estimate = *record.estimate();
  out["last_offset_s"] = record.last_offset().to_seconds();
  out["rms_offset_s"] = record.rms_offset().to_seconds();
  if (record.updates() > 1) out["update_interval_s"] = record.interval().to_seconds();
  out["offset_sd_s"] = estimate.offset_sd;
  const double base = keeper.steers() ? keeper.discipline().base_rate() : 0;
  if (keeper.steers() || estimate.has_frequency) {
    out["frequency_ppm"] = -(keeper.steers() ? base : estimate.frequency) * kPpm;
  }
  if (!estimate.has_frequency) return;
  out["residual_frequency_ppm"] = keeper.steers() ? -(estimate.frequency - base) * kPpm : 0.0;
  out["skew_ppm"] = estimate.frequency_sd * kPpm;
}

}  // namespace

json::object tracking_report(const Halves& halves, MonoTime now) {
  ntp::Tracking tracking;
  if (halves.client != nullptr) tracking = halves.client->keeper().tracking(now);
  json::object out;
  out["clock"] = clock_mode(halves);
  out["synchronised"] = tracking.synchronised;
  out["survivors"] = tracking.survivors;
  out["min_sources"] = halves.config.sources.min_sources;
  out["leap"] = wire::ntp::name_of(tracking.leap);
  out["stratum"] = tracking.stratum;
  if (halves.client != nullptr && halves.client->keeper().steers()) {
    const ntp::Timekeeper& keeper = halves.client->keeper();
    out["correction"] = name_of(keeper.discipline().verdict());
    out["frequency_ppm"] = keeper.discipline().base_rate() * 1e6;
    out["interferences"] = keeper.interferences();
  }
  if (halves.server != nullptr && halves.server->smeared() != Duration()) {
    out["smear_offset_s"] = halves.server->smeared().to_seconds();
  }
  // Nothing was ever selected: there is nothing to tell of.
  if (tracking.association == 0) return out;
  // A reference clock's name; a server that was replaced has no title any more.
  const std::string title = halves.client->sources().title(tracking.association);
  out["address"] = title.empty() ? format(tracking.server) : title;
  out["reference_id"] = format(tracking.reference_id, tracking.stratum);
  out["updated"] = format_utc(halves.client->keeper().system_time(tracking.updated.raw));
  out["offset_s"] = tracking.offset.to_seconds();
  out["uncertainty_s"] = tracking.uncertainty.to_seconds();
  out["root_delay_s"] = tracking.root_delay.to_seconds();
  out["root_dispersion_s"] = tracking.root_dispersion.to_seconds();
  out["jitter_s"] = tracking.jitter.to_seconds();
  add_clock(halves.client->keeper(), out);
  return out;
}

}  // namespace timepool::ntpd
