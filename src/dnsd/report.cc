#include "dnsd/report.h"

#include <boost/json.hpp>

#include "dnsd/signing_report.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

json::array texts(const std::vector<std::string>& in) {
  json::array out;
  for (const std::string& text : in) out.emplace_back(text);
  return out;
}

void write_streams(const StreamCounts& counts, const char* transport, net::MetricSink& sink) {
  const auto labels = [transport](const char* name, std::string_view value) {
    return net::MetricLabels{{"transport", transport}, {name, std::string(value)}};
  };
  sink.counter("timepool_dnsd_connections_accepted_total", "Connections taken.", counts.accepted,
               {{"transport", transport}});
  for (std::size_t i = 0; i < kStreamEnds; ++i) {
    sink.counter("timepool_dnsd_connections_ended_total",
                 "Connections by how they ended, also those that were refused.", counts.ends[i],
                 labels("reason", name_of(static_cast<StreamEnd>(i))));
  }
  sink.counter("timepool_dnsd_connections_accept_errors_total",
               "Times that the system had no descriptor or memory for a connection.",
               counts.accept_errors, {{"transport", transport}});
  sink.gauge("timepool_dnsd_connections", "Connections open now.", static_cast<double>(counts.open),
             {{"transport", transport}});
}

void write_handshakes(const StreamCounts& counts, net::MetricSink& sink) {
  for (std::size_t i = 0; i < kHandshakeOutcomes; ++i) {
    sink.counter("timepool_dnsd_tls_handshakes_total", "Handshakes of TLS by their outcome.",
                 counts.handshakes[i], {{"outcome", std::string(name_of_handshake(i))}});
  }
}

void write_certificates(const net::CertificateStore& store, UnixTime now, net::MetricSink& sink) {
  for (const auto& it : store.reports()) {
    const net::MetricLabels labels{{"chain", it.chain}};
    sink.gauge("timepool_dnsd_certificate_remaining_seconds",
               "Until a certificate of TLS, or one of its chain, ends; negative: since it ended.",
               (it.ends - now).to_seconds(), labels);
    sink.gauge("timepool_dnsd_certificate_fault",
               "1 while its files are bad, and the certificate of before is shown.",
               it.fault.empty() ? 0 : 1, labels);
  }
}

void write_zones(const KeeperReport& report, net::MetricSink& sink) {
  for (const ZoneReport& zone : report.zones) {
    sink.gauge("timepool_dnsd_zone_serial", "Serial of each zone served.", zone.serial,
               {{"zone", zone.zone}});
    sink.gauge("timepool_dnsd_zone_names", "Names of each zone served.", zone.names,
               {{"zone", zone.zone}});
  }
  sink.gauge("timepool_dnsd_problems", "Files and data that are wrong now.",
             static_cast<double>(report.problems.size()));
  sink.gauge("timepool_dnsd_snapshot_serial", "Serial of the snapshot in use; 0: none.",
             static_cast<double>(report.snapshot_serial));
  sink.gauge("timepool_dnsd_compile_seconds", "How long the last change of zones took.",
             report.last_compile_s);
  sink.counter("timepool_dnsd_compiles_total", "Changes of zones taken in.", report.compiles);
  sink.gauge("timepool_dnsd_zone_bytes", "Memory of the compiled zones.",
             static_cast<double>(report.memory));
}

}  // namespace

json::object zones_report(const KeeperReport& report) {
  json::array zones;
  for (const ZoneReport& zone : report.zones) {
    json::object item;
    item["zone"] = zone.zone;
    item["serial"] = zone.serial;
    item["names"] = zone.names;
    item["client_classes"] = zone.classes;
    item["client_networks"] = zone.networks;
    item["source"] = zone.source;
    item["warnings"] = texts(zone.warnings);
    zones.push_back(std::move(item));
  }
  json::array geoip;
  for (const GeoFile& file : report.geoip) {
    json::object item;
    item["path"] = file.path;
    item["type"] = file.type;
    item["built"] =
        format_utc(UnixTime::from_seconds(static_cast<std::int64_t>(file.build_epoch)), 0);
    item["networks"] = file.networks;
    geoip.push_back(std::move(item));
  }
  json::object out;
  out["zones"] = std::move(zones);
  out["problems"] = texts(report.problems);
  out["geoip"] = std::move(geoip);
  out["snapshot_serial"] = report.snapshot_serial;
  out["compile_s"] = report.last_compile_s;
  out["compiles"] = report.compiles;
  out["memory"] = report.memory;
  return out;
}

json::object snapshot_report(const snapshot::PullerStatus& status) {
  json::object out;
  out["serial"] = status.serial;
  const auto time = [&out](const char* key, const std::optional<UnixTime>& at) {
    if (at) {
      out[key] = format_utc(*at);
    } else {
      out[key] = nullptr;
    }
  };
  time("created", status.created);
  time("last_contact", status.last_contact);
  time("last_snapshot", status.last_snapshot);
  out["url"] = status.url;
  out["last_error"] = status.last_error;
  time("last_error_time", status.last_error_time);
  out["fetched"] = status.fetched;
  out["failures"] = status.failures;
  return out;
}

json::object reporter_report(const ReporterStatus& status) {
  json::object out;
  out["sent"] = status.sent;
  out["refused"] = status.refused;
  out["waiting"] = status.waiting;
  if (status.last_sent) {
    out["last_sent"] = format_utc(*status.last_sent);
  } else {
    out["last_sent"] = nullptr;
  }
  out["last_error"] = status.last_error;
  return out;
}

void write_metrics(const Parts& parts, net::MetricSink& sink) {
  write_query_metrics(parts, sink);
  if (parts.signing != nullptr) write_signing_metrics(parts.signing->report(), sink);
  const net::UdpTotals totals = parts.frontend.udp_totals();
  sink.counter("timepool_dnsd_udp_sent_total", "Answers that the system took.", totals.sent);
  sink.counter("timepool_dnsd_udp_send_refused_total", "Answers that the system refused to send.",
               totals.refused);
  sink.counter("timepool_dnsd_udp_receive_errors_total", "Receive calls that failed.",
               totals.errors);
  write_streams(parts.frontend.tcp_counts(), "tcp", sink);
  if (parts.frontend.has_tls()) {
    const StreamCounts tls = parts.frontend.tls_counts();
    write_streams(tls, "tls", sink);
    write_handshakes(tls, sink);
  }
  if (const net::CertificateStore* certificates = parts.frontend.certificates()) {
    write_certificates(*certificates, sys::unix_now(), sink);
  }
  write_zones(parts.keeper.report(), sink);
  if (parts.puller == nullptr) return;
  const snapshot::PullerStatus status = parts.puller->status();
  sink.counter("timepool_dnsd_snapshots_fetched_total", "New snapshots taken from a manager.",
               status.fetched);
  sink.counter("timepool_dnsd_snapshot_failures_total", "Requests for snapshots that failed.",
               status.failures);
  if (status.last_contact) {
    sink.gauge("timepool_dnsd_snapshot_contact_age_seconds",
               "Time since a manager last answered well.",
               (sys::unix_now() - *status.last_contact).to_seconds());
  }
}

}  // namespace timepool::dnsd
