// The counters of queries, as JSON for the control socket and as metrics.
#include <boost/json.hpp>

#include <algorithm>
#include <utility>

#include "dnsd/report.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

// Servers that a report names.
constexpr std::size_t kTopServers = 20;
// Zones that have labels of their own in metrics; a server of more tells them by its control
// socket.
constexpr std::size_t kZoneLabels = 256;

// Those above 0, by name.
template <class Array, class Label>
json::object nonzero(const Array& counts, Label label) {
  json::object out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) out[label(i)] = counts[i];
  }
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
  out["rcodes"] = nonzero(counts.rcodes, rcode_label);
  out["countries"] = nonzero(counts.countries, country_label);
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

json::object tls_report(const Frontend& frontend) {
  const StreamCounts counts = frontend.tls_counts();
  json::object out = streams_report(frontend.tls_queries(), counts);
  json::object handshakes;
  for (std::size_t i = 0; i < kHandshakeOutcomes; ++i) {
    handshakes[name_of_handshake(i)] = counts.handshakes[i];
  }
  out["handshakes"] = std::move(handshakes);
  return out;
}

json::object zone_report(const ZoneCount& zone) {
  json::object queries;
  for (std::size_t i = 0; i < kZoneEnds; ++i) {
    queries[name_of(static_cast<ZoneEnd>(i))] = zone.queries[i];
  }
  json::object out;
  out["queries"] = std::move(queries);
  out["handed_out"] = zone.handed;
  return out;
}

json::array servers_report(const Accounting::Top& top) {
  json::array out;
  for (const ServerCount& server : top.servers) {
    json::object item;
    item["address"] = format(server.address);
    item["handed_out"] = server.handed;
    item["share"] =
        top.all == 0 ? 0 : static_cast<double>(server.handed) / static_cast<double>(top.all);
    out.push_back(std::move(item));
  }
  return out;
}

json::object log_report(const QueryLogCounts& counts) {
  json::object out;
  out["written"] = counts.written;
  out["dropped"] = counts.dropped;
  out["failed"] = counts.failed;
  return out;
}

void write_counts(const QueryCounts& counts, const char* transport, net::MetricSink& sink) {
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
  for (std::size_t i = 0; i < counts.rcodes.size(); ++i) {
    sink.counter("timepool_dnsd_answers_total", "Answers by transport and rcode; none: no answer.",
                 counts.rcodes[i], {{"transport", transport}, {"rcode", rcode_label(i)}});
  }
  sink.counter("timepool_dnsd_client_subnet_total", "Queries with a client subnet.",
               counts.with_subnet, {{"transport", transport}});
  sink.counter("timepool_dnsd_limit_uncounted_total",
               "Answers that the table of limits had no place for.", counts.limit_uncounted,
               {{"transport", transport}});
}

void write_countries(const QueryCounts& counts, net::MetricSink& sink) {
  for (std::size_t i = 0; i < counts.countries.size(); ++i) {
    // A country appears with its first query: most of 676 codes are of none.
    if (counts.countries[i] == 0 && i + 1 != counts.countries.size()) continue;
    sink.counter("timepool_dnsd_country_queries_total",
                 "Queries by the country of the client, or of the subnet that it sent.",
                 counts.countries[i], {{"country", country_label(i)}});
  }
}

void write_zone(const ZoneCount& zone, net::MetricSink& sink) {
  for (std::size_t i = 0; i < kZoneEnds; ++i) {
    sink.counter("timepool_dnsd_zone_queries_total", "Queries by zone and how they ended.",
                 zone.queries[i],
                 {{"zone", zone.zone}, {"end", std::string(name_of(static_cast<ZoneEnd>(i)))}});
  }
  sink.counter("timepool_dnsd_handed_out_total", "Addresses of servers handed out, by zone.",
               zone.handed, {{"zone", zone.zone}});
}

}  // namespace

json::object stats_report(const Parts& parts) {
  const net::UdpTotals totals = parts.frontend.udp_totals();
  const QueryCounts by_udp = parts.frontend.udp_queries();
  json::object udp = counts_report(by_udp);
  udp["received"] = totals.received;
  udp["sent"] = totals.sent;
  udp["send_refused"] = totals.refused;
  udp["receive_errors"] = totals.errors;
  Accounting& accounting = parts.keeper.accounting();
  accounting.collect();
  json::object zones;
  for (const ZoneCount& zone : accounting.zones()) zones[zone.zone] = zone_report(zone);
  json::object out;
  out["udp"] = std::move(udp);
  out["tcp"] = streams_report(parts.frontend.tcp_queries(), parts.frontend.tcp_counts());
  if (parts.frontend.has_tls()) out["tls"] = tls_report(parts.frontend);
  out["zones"] = std::move(zones);
  out["servers"] = servers_report(accounting.top(kTopServers));
  out["query_log"] = log_report(parts.query_log.counts());
  return out;
}

void write_query_metrics(const Parts& parts, net::MetricSink& sink) {
  const QueryCounts udp = parts.frontend.udp_queries();
  const QueryCounts tcp = parts.frontend.tcp_queries();
  write_counts(udp, "udp", sink);
  write_counts(tcp, "tcp", sink);
  QueryCounts all = udp;
  all.add(tcp);
  if (parts.frontend.has_tls()) {
    const QueryCounts tls = parts.frontend.tls_queries();
    write_counts(tls, "tls", sink);
    all.add(tls);
  }
  write_countries(all, sink);
  Accounting& accounting = parts.keeper.accounting();
  accounting.collect();
  const auto zones = accounting.zones();
  for (std::size_t i = 0; i < std::min(zones.size(), kZoneLabels); ++i) write_zone(zones[i], sink);
  if (parts.reporter != nullptr) {
    const ReporterStatus status = parts.reporter->status();
    sink.counter("timepool_dnsd_account_batches_total", "Batches of counts that a manager took.",
                 status.sent);
    sink.gauge("timepool_dnsd_account_batches_waiting", "Batches that no manager took yet.",
               static_cast<double>(status.waiting));
  }
  const QueryLogCounts log = parts.query_log.counts();
  const std::pair<const char*, std::uint64_t> ends[] = {
      {"written", log.written}, {"dropped", log.dropped}, {"failed", log.failed}};
  for (const auto& [end, count] : ends) {
    sink.counter("timepool_dnsd_query_log_total", "Queries of the log's sample.", count,
                 {{"end", end}});
  }
}

}  // namespace timepool::dnsd
