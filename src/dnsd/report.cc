#include "dnsd/report.h"

#include <boost/json.hpp>

#include "dns/explain.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

json::array texts(const std::vector<std::string>& in) {
  json::array out;
  for (const std::string& text : in) out.emplace_back(text);
  return out;
}

json::object counts_report(const QueryCounts& counts) {
  json::object reasons;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < counts.reasons.size(); ++i) {
    reasons[name_of(static_cast<dns::Reason>(i))] = counts.reasons[i];
    all += counts.reasons[i];
  }
  json::object types;
  for (std::size_t i = 0; i < counts.types.size(); ++i) types[type_label(i)] = counts.types[i];
  json::object out;
  out["queries"] = all;
  out["reasons"] = std::move(reasons);
  out["types"] = std::move(types);
  out["with_client_subnet"] = counts.with_subnet;
  out["limit_uncounted"] = counts.limit_uncounted;
  return out;
}

json::object streams_report(const QueryCounts& queries, const StreamCounts& counts) {
  json::object out = counts_report(queries);
  json::object ended;
  for (std::size_t i = 0; i < kStreamEnds; ++i) {
    ended[name_of(static_cast<StreamEnd>(i))] = counts.ends[i];
  }
  out["connections"] = counts.open;
  out["accepted"] = counts.accepted;
  out["accept_errors"] = counts.accept_errors;
  out["ended"] = std::move(ended);
  return out;
}

Result<std::string> text_of(const json::object& request, std::string_view key) {
  const json::value* value = request.if_contains(json::string_view(key.data(), key.size()));
  if (value == nullptr || !value->is_string()) {
    return fail(Error{ErrorCode::kInvalid, "lookup", "needs \"" + std::string(key) + "\""});
  }
  return std::string(value->get_string());
}

Failure<Error> invalid(std::string detail) {
  return fail(Error{ErrorCode::kInvalid, "lookup", std::move(detail)});
}

void write_queries(const QueryCounts& counts, const char* transport, net::MetricSink& sink) {
  for (std::size_t i = 0; i < counts.reasons.size(); ++i) {
    sink.counter(
        "timepool_dnsd_queries_total", "Queries by transport and by what became of them.",
        counts.reasons[i],
        {{"transport", transport}, {"reason", std::string(name_of(static_cast<dns::Reason>(i)))}});
  }
  for (std::size_t i = 0; i < counts.types.size(); ++i) {
    sink.counter("timepool_dnsd_questions_total", "Questions by transport and type.",
                 counts.types[i], {{"transport", transport}, {"type", type_label(i)}});
  }
  sink.counter("timepool_dnsd_client_subnet_total", "Queries with a client subnet.",
               counts.with_subnet, {{"transport", transport}});
  sink.counter("timepool_dnsd_limit_uncounted_total",
               "Answers that the table of limits had no place for.", counts.limit_uncounted,
               {{"transport", transport}});
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

json::object stats_report(const Frontend& frontend) {
  const net::UdpTotals totals = frontend.udp_totals();
  json::object udp = counts_report(frontend.udp_queries());
  udp["received"] = totals.received;
  udp["sent"] = totals.sent;
  udp["send_refused"] = totals.refused;
  udp["receive_errors"] = totals.errors;
  json::object out;
  out["udp"] = std::move(udp);
  out["tcp"] = streams_report(frontend.tcp_queries(), frontend.tcp_counts());
  if (frontend.has_tls()) {
    json::object tls = streams_report(frontend.tls_queries(), frontend.tls_counts());
    json::object handshakes;
    for (std::size_t i = 0; i < kHandshakeOutcomes; ++i) {
      handshakes[name_of_handshake(i)] = frontend.tls_counts().handshakes[i];
    }
    tls["handshakes"] = std::move(handshakes);
    out["tls"] = std::move(tls);
  }
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

Result<json::object> lookup_report(const dns::CompiledZones& zones, const json::object& request) {
  const std::string name_text = TRY(text_of(request, "name"));
  const std::string address_text = TRY(text_of(request, "address"));
  std::string type_text = "A";
  if (request.contains("type")) type_text = TRY(text_of(request, "type"));
  const auto name = wire::dns::DnsName::from_text(name_text);
  if (!name.ok()) return invalid("'" + name_text + "' is no domain name");
  const auto address = parse_ip(address_text);
  if (!address.ok()) return invalid("'" + address_text + "' is no address");
  const auto type = wire::dns::parse_type(type_text);
  if (!type.ok()) return invalid("'" + type_text + "' is no record type");
  const dns::Explanation found = explain(zones, *name, *type, *address);
  json::object out;
  out["name"] = format(*name);
  out["type"] = format(*type);
  out["address"] = format(*address);
  out["in_zone"] = found.in_zone;
  if (!found.in_zone) return out;
  out["zone"] = found.zone;
  out["country"] = found.client.country.text();
  out["continent"] = name_of(found.client.continent);
  out["asn"] = found.client.asn;
  out["scope"] = found.scope;
  out["label"] = found.label;
  out["records"] = found.records;
  out["taken"] = found.taken;
  return out;
}

void write_metrics(const Frontend& frontend, const ZoneKeeper& keeper,
                   const snapshot::SnapshotPuller* puller, net::MetricSink& sink) {
  write_queries(frontend.udp_queries(), "udp", sink);
  write_queries(frontend.tcp_queries(), "tcp", sink);
  const net::UdpTotals totals = frontend.udp_totals();
  sink.counter("timepool_dnsd_udp_sent_total", "Answers that the system took.", totals.sent);
  sink.counter("timepool_dnsd_udp_send_refused_total", "Answers that the system refused to send.",
               totals.refused);
  sink.counter("timepool_dnsd_udp_receive_errors_total", "Receive calls that failed.",
               totals.errors);
  write_streams(frontend.tcp_counts(), "tcp", sink);
  if (frontend.has_tls()) {
    write_queries(frontend.tls_queries(), "tls", sink);
    const StreamCounts tls = frontend.tls_counts();
    write_streams(tls, "tls", sink);
    write_handshakes(tls, sink);
  }
  write_zones(keeper.report(), sink);
  if (puller == nullptr) return;
  const snapshot::PullerStatus status = puller->status();
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
