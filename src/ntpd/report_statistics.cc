#include <boost/json.hpp>

#include "ntpd/report.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

constexpr double kPpm = 1e6;

json::object statistics_object(const ntp::SourceReport& report, double rate) {
  const ntp::Estimate& estimate = report.estimate;
  json::object out;
  out["source"] = report.name;
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["samples"] = estimate.count;
  out["span_s"] = estimate.span.to_seconds();
  if (estimate.has_frequency) {
    out["frequency_ppm"] = -(estimate.frequency - rate) * kPpm;
    out["skew_ppm"] = estimate.frequency_sd * kPpm;
  }
  out["offset_s"] = estimate.offset.to_seconds();
  out["offset_sd_s"] = estimate.offset_sd;
  out["jitter_s"] = estimate.jitter.to_seconds();
  out["asymmetry"] = estimate.asymmetry;
  return out;
}

}  // namespace

Result<json::object> statistics_report(const Halves& halves, std::string_view source,
                                       MonoTime now) {
  json::array list;
  for (const ntp::SourceReport& report : TRY(matching_reports(halves, source, now))) {
    if (!report.has_estimate) continue;
    const ntp::Timekeeper& keeper = halves.client->keeper();
    const double rate = keeper.steers() ? keeper.discipline().base_rate() : 0;
    list.push_back(statistics_object(report, rate));
  }
  json::object out;
  out["sources"] = std::move(list);
  return out;
}

}  // namespace timepool::ntpd
