#include "ntpd/report_keys.h"

#include <array>
#include <boost/json.hpp>
#include <string>
#include <utility>

#include "net/metrics.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

constexpr std::int64_t bound_ms(std::size_t bucket) {
  return std::int64_t{1} << bucket;
}

json::object certificate_report(const net::CertificateStore::Report& it) {
  json::array names;
  for (const std::string& name : it.info.dns_names) names.emplace_back(name);
  for (const IpAddress& address : it.info.addresses) names.emplace_back(format(address));
  json::object out;
  out["chain"] = it.chain;
  out["names"] = std::move(names);
  out["key"] = it.info.key_type;
  out["not_before"] = format_utc(it.info.not_before, 0);
  out["not_after"] = format_utc(it.ends, 0);
  out["fault"] = it.fault.empty() ? json::value(nullptr) : json::value(it.fault);
  return out;
}

json::object duration_report(const KeyCounts& counts) {
  json::array buckets;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.durations.size(); ++i) {
    if (counts.durations[i] == 0) continue;
    all += counts.durations[i];
    json::object bucket;
    const bool last = i + 1 == counts.durations.size();
    bucket["below_ms"] = last ? json::value(nullptr) : json::value(bound_ms(i));
    bucket["connections"] = counts.durations[i];
    buckets.push_back(std::move(bucket));
  }
  json::object out;
  const double mean = static_cast<double>(counts.duration_sum_us) / 1e3 / static_cast<double>(all);
  out["mean_ms"] = all == 0 ? json::value(nullptr) : json::value(mean);
  out["buckets"] = std::move(buckets);
  return out;
}

}  // namespace

json::value key_server_report(const KeyServer* server) {
  if (server == nullptr) return nullptr;
  json::array listen;
  for (const Endpoint& at : server->addresses()) listen.emplace_back(format(at));
  json::array certificates;
  for (const auto& it : server->certificates().reports()) {
    certificates.push_back(certificate_report(it));
  }
  json::object out;
  out["listen"] = std::move(listen);
  out["threads"] = server->threads();
  out["connections"] = server->open();
  out["connections_limit"] = server->limit();
  out["certificates"] = std::move(certificates);
  return out;
}

json::value key_counters_report(const KeyServer* server) {
  if (server == nullptr) return nullptr;
  const KeyCounts counts = server->counts();
  json::object outcomes;
  for (std::size_t i = 0; i < counts.outcomes.size(); ++i) {
    const std::string name = name_of_key_outcome(i);
    if (!name.empty()) outcomes[name] = counts.outcomes[i];
  }
  json::object out;
  out["outcomes"] = std::move(outcomes);
  out["accept_errors"] = counts.accept_errors;
  out["cookies_made"] = server->cookies_made();
  out["duration"] = duration_report(counts);
  return out;
}

void write_key_metrics(const KeyServer& server, UnixTime now, net::MetricSink& sink) {
  const KeyCounts counts = server.counts();
  for (std::size_t i = 0; i < counts.outcomes.size(); ++i) {
    const std::string name = name_of_key_outcome(i);
    if (name.empty()) continue;
    sink.counter("timepool_ntpd_key_connections_total",
                 "Connections of key establishment, by what became of them.", counts.outcomes[i],
                 {{"outcome", name}});
  }
  std::array<double, kKeyDurationBuckets - 1> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = static_cast<double>(bound_ms(i)) * 1e-3;
  }
  sink.histogram("timepool_ntpd_key_connection_seconds",
                 "From a connection of key establishment to its answer.", bounds, counts.durations,
                 static_cast<double>(counts.duration_sum_us) * 1e-6);
  sink.gauge("timepool_ntpd_key_connections_open", "Connections of key establishment now.",
             static_cast<double>(server.open()));
  sink.gauge("timepool_ntpd_key_connections_limit", "How many there may be at a time.",
             static_cast<double>(server.limit()));
  sink.counter("timepool_ntpd_key_accept_errors_total",
               "Connections that the system could not give for want of descriptors or memory.",
               counts.accept_errors);
  sink.counter("timepool_ntpd_key_cookies_made_total", "Cookies made at key establishments.",
               server.cookies_made());
  for (const auto& it : server.certificates().reports()) {
    const net::MetricLabels labels{{"chain", it.chain}};
    sink.gauge("timepool_ntpd_certificate_remaining_seconds",
               "Until a certificate of key establishment, or one of its chain, ends; negative: "
               "since it ended.",
               (it.ends - now).to_seconds(), labels);
    sink.gauge("timepool_ntpd_certificate_fault",
               "1 while its files are bad, and the certificate of before is shown.",
               it.fault.empty() ? 0 : 1, labels);
  }
}

}  // namespace timepool::ntpd
