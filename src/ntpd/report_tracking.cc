#include <boost/json.hpp>

#include "ntpd/report.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;

std::string clock_mode(const Halves& halves) {
  return halves.client != nullptr && halves.client->keeper().steers() ? "steer" : "observe";
}

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
  return out;
}

}  // namespace timepool::ntpd
