#include "ntpd/report_services.h"

#include <boost/json/object.hpp>

#include "net/metrics.h"

namespace timepool::ntpd {
namespace {

namespace json = boost::json;

json::object target_object(const ntp::TargetRecord& record, MonoTime now) {
  json::object out;
  out["target"] = record.target.target;
  out["port"] = record.target.port;
  out["priority"] = record.target.priority;
  out["weight"] = record.target.weight;
  out["state"] = name_of(record.state);
  out["listed"] = record.listed;
  out["dropped"] = name_of(record.cause);
  if (record.dropped) out["dropped_s"] = (now - *record.dropped).to_seconds();
  return out;
}

json::object pool_object(const ntp::ServiceReport& report, MonoTime now) {
  json::object out;
  out["pool"] = report.name;
  out["service"] = report.service;
  out["answered"] = report.answered;
  if (report.answered) {
    out["verdict"] = name_of(report.verdict);
    out["trust"] = name_of(report.trust);
    out["dates_checked"] = report.dates_checked;
    out["why"] = report.why;
    out["age_s"] = report.age.to_seconds();
  }
  json::array refused;
  for (const ntp::JudgedTarget& it : report.refused) {
    refused.push_back(json::object{{"target", it.target.target}, {"fault", name_of(it.fault)}});
  }
  out["refused"] = std::move(refused);
  json::array targets;
  for (const ntp::TargetRecord& it : report.targets) targets.push_back(target_object(it, now));
  out["targets"] = std::move(targets);
  return out;
}

double count_of(const ntp::ServiceReport& report, ntp::TargetRecord::State state) {
  double out = 0;
  for (const ntp::TargetRecord& it : report.targets) out += it.state == state ? 1 : 0;
  return out;
}

}  // namespace

json::array services_array(const Halves& halves, MonoTime now) {
  json::array out;
  if (halves.client == nullptr) return out;
  for (const ntp::ServiceReport& it : halves.client->sources().services(now)) {
    out.push_back(pool_object(it, now));
  }
  return out;
}

void write_services_metrics(const TimeClient& client, MonoTime now, net::MetricSink& sink) {
  const std::vector<ntp::ServiceReport> reports = client.sources().services(now);
  if (reports.empty()) return;
  for (const ntp::ServiceReport& report : reports) {
    sink.gauge("timepool_ntpd_pool_srv_followed",
               "1 while the pool's SRV records are followed, as the latest answer was judged.",
               report.answered && report.verdict == ntp::ServiceVerdict::kUse ? 1 : 0,
               {{"pool", report.name},
                {"verdict", std::string(name_of(report.verdict))},
                {"trust", std::string(name_of(report.trust))}});
  }
  using State = ntp::TargetRecord::State;
  for (const State state : {State::kUnused, State::kInUse, State::kDropped}) {
    for (const ntp::ServiceReport& report : reports) {
      sink.gauge("timepool_ntpd_pool_srv_targets",
                 "Servers that the pool's SRV records named, by what became of them.",
                 count_of(report, state),
                 {{"pool", report.name}, {"state", std::string(name_of(state))}});
    }
  }
  for (std::size_t i = 1; i < ntp::kTargetDropCount; ++i) {
    const auto cause = static_cast<ntp::TargetDrop>(i);
    sink.counter("timepool_ntpd_pool_srv_dropped_total",
                 "Servers of pools by SRV records that were given up, by why.",
                 client.target_notes(cause), {{"cause", std::string(name_of(cause))}});
  }
}

}  // namespace timepool::ntpd
