#include "ntpd/report.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

void add_estimate(const ntp::SourceReport& report, json::object& out) {
  const ntp::Estimate& estimate = report.estimate;
  const ntp::Sample& sample = estimate.sample;
  out["offset_s"] = sample.offset.to_seconds();
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
  out["kind"] = report.kind == ntp::SourceKind::kPool ? "pool" : "server";
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["status"] = name_of(report.status);
  out["symbol"] = std::string(1, static_cast<char>(report.status));
  out["reach"] = report.reach;
  out["reach_octal"] = fmt::format("{:o}", report.reach);
  out["poll"] = report.poll;
  out["requests"] = report.requests;
  out["unanswered"] = report.unanswered;
  out["last_reason"] = report.requests > 0 ? name_of(report.last_reason) : "none";
  if (report.has_estimate) add_estimate(report, out);
  return out;
}

json::object server_counters(const TimeServer& server) {
  const net::UdpTotals totals = server.totals();
  const ReasonCounts counts = server.reasons();
  json::object reasons;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    reasons[name_of(static_cast<ntp::Reason>(i))] = counts[i];
  }
  json::object out;
  out["received"] = totals.received;
  out["sent"] = totals.sent;
  out["refused"] = totals.refused;
  out["receive_errors"] = totals.errors;
  out["batches"] = totals.batches;
  out["reasons"] = std::move(reasons);
  return out;
}

json::object client_counters(const TimeClient& client) {
  json::object reasons;
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    const auto reason = static_cast<ntp::ReplyReason>(i);
    reasons[name_of(reason)] = client.sources().count(reason);
  }
  json::object out;
  out["requests"] = client.requests_sent();
  out["send_failures"] = client.send_failures();
  out["reasons"] = std::move(reasons);
  return out;
}

}  // namespace

json::object sources_report(const Halves& halves, MonoTime now) {
  json::array list;
  if (halves.client != nullptr) {
    for (const ntp::SourceReport& report : halves.client->sources().reports(now)) {
      list.push_back(source_object(report));
    }
  }
  json::object out;
  out["sources"] = std::move(list);
  return out;
}

json::object tracking_report(const Halves& halves, MonoTime now) {
  ntp::Tracking tracking;
  if (halves.client != nullptr) tracking = halves.client->sources().tracking(now);
  json::object out;
  out["clock"] = "observe";
  out["synchronised"] = tracking.synchronised;
  out["survivors"] = tracking.survivors;
  out["min_sources"] = halves.config.sources.min_sources;
  out["leap"] = wire::ntp::name_of(tracking.leap);
  out["stratum"] = tracking.stratum;
  // Nothing was ever selected: there is nothing to tell of.
  if (tracking.association == 0) return out;
  out["address"] = format(tracking.server);
  out["reference_id"] = format(tracking.reference_id, tracking.stratum);
  out["updated"] = format_utc(tracking.updated.unix);
  out["offset_s"] = tracking.offset.to_seconds();
  out["uncertainty_s"] = tracking.uncertainty.to_seconds();
  out["root_delay_s"] = tracking.root_delay.to_seconds();
  out["root_dispersion_s"] = tracking.root_dispersion.to_seconds();
  out["jitter_s"] = tracking.jitter.to_seconds();
  return out;
}

json::object counters_report(const Halves& halves) {
  json::object out;
  out["server"] = nullptr;
  out["client"] = nullptr;
  if (halves.server != nullptr) out["server"] = server_counters(*halves.server);
  if (halves.client != nullptr) out["client"] = client_counters(*halves.client);
  return out;
}

json::value server_report(const Halves& halves) {
  if (halves.server == nullptr) return nullptr;
  const ntp::ServerState& state = halves.server->state();
  json::array listen;
  for (const Endpoint& address : halves.server->addresses()) {
    listen.push_back(json::value(format(address)));
  }
  json::object out;
  out["listen"] = std::move(listen);
  out["threads"] = halves.server->threads();
  out["synchronised"] = state.synchronised();
  out["stratum"] = state.stratum;
  out["reference_id"] = format(state.reference_id, state.stratum);
  out["test_offset_s"] = state.test_offset.to_seconds();
  return out;
}

}  // namespace timepool::ntpd
