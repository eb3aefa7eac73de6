#include <fmt/format.h>

#include <boost/json.hpp>

#include "ntpd/report.h"
#include "ntpd/report_authentication.h"
#include "ntpd/report_services.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

void add_estimate(const ntp::SourceReport& report, json::object& out) {
  const ntp::Estimate& estimate = report.estimate;
  const ntp::Sample& sample = estimate.sample;
  out["offset_s"] = estimate.offset.to_seconds();
  if (report.last_answer && report.last_answer->has_times) {
    out["last_offset_s"] = report.last_answer->sample.offset.to_seconds();
  }
  out["delay_s"] = sample.delay.to_seconds();
  out["dispersion_s"] = estimate.dispersion.to_seconds();
  out["jitter_s"] = estimate.jitter.to_seconds();
  out["distance_s"] = estimate.distance.to_seconds();
  out["age_s"] = report.age.to_seconds();
  out["stratum"] = sample.stratum;
  out["leap"] = wire::ntp::name_of(sample.leap);
  out["version"] = sample.version;
  out["reference_id"] = format(sample.reference_id, sample.stratum);
  out["root_delay_s"] = sample.root_delay.to_seconds();
  out["root_dispersion_s"] = sample.root_dispersion.to_seconds();
}

json::object source_object(const ntp::SourceReport& report) {
  json::object out;
  out["source"] = report.name;
  if (!report.pool.empty()) out["pool"] = report.pool;
  out["kind"] = name_of(report.kind);
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["status"] = name_of(report.status);
  out["symbol"] = std::string(1, static_cast<char>(report.status));
  out["reach"] = report.reach;
  out["reach_octal"] = fmt::format("{:o}", report.reach);
  out["poll"] = report.poll;
  out["online"] = report.online;
  out["in_burst"] = report.in_burst;
  out["requests"] = report.requests;
  out["unanswered"] = report.unanswered;
  const bool any = report.requests > 0 || report.received > 0;
  out["last_reason"] = any ? name_of(report.last_reason) : "none";
  if (report.refclock_reason) out["last_reason"] = name_of(*report.refclock_reason);
  out["authentication"] = authentication_of(report);
  if (report.nts) out["nts"] = nts_object(*report.nts);
  if (report.has_estimate) add_estimate(report, out);
  return out;
}

}  // namespace

json::object sources_report(const Halves& halves, MonoTime now) {
  json::array list;
  if (halves.client != nullptr) {
    for (const ntp::SourceReport& report : halves.client->keeper().reports(now)) {
      list.push_back(source_object(report));
    }
  }
  json::object out;
  out["sources"] = std::move(list);
  json::array pools = services_array(halves, now);
  if (!pools.empty()) out["pools"] = std::move(pools);
  return out;
}

json::object activity_report(const Halves& halves, MonoTime now) {
  std::size_t online = 0;
  std::size_t offline = 0;
  std::size_t in_burst = 0;
  std::size_t unresolved = 0;
  if (halves.client != nullptr) {
    for (const ntp::SourceReport& report : halves.client->keeper().reports(now)) {
      const bool resolved = report.association != 0;
      if (resolved) ++(report.online ? online : offline);
      if (!resolved) ++unresolved;
      if (report.in_burst) ++in_burst;
    }
  }
  json::object out;
  out["online"] = online;
  out["offline"] = offline;
  out["in_burst"] = in_burst;
  out["unresolved"] = unresolved;
  return out;
}

}  // namespace timepool::ntpd
