#include "ntpd/report_authentication.h"

#include <boost/json.hpp>
#include <map>

#include "net/metrics.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// Key establishments with the server of its keys since the last that led to authenticated time.
std::uint32_t attempts_of(const TimeClient& client, const ntp::SourceReport& report) {
  const ntp::Source* source = client.sources().sources().find(report.source);
  if (source == nullptr || !report.nts) return 0;
  const ntp::SourceConfig& config = source->config();
  return client.sources().establishments().attempts(
      {config.name, config.nts.port, report.nts->key_server});
}

json::object source_object(const TimeClient& client, const ntp::SourceReport& report) {
  json::object out;
  out["source"] = report.name;
  out["kind"] = name_of(report.kind);
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["authentication"] = authentication_of(report);
  out["proved"] = is_proved(report);
  if (report.key != 0) out["key"] = report.key;
  if (report.nts) {
    out["nts"] = nts_object(*report.nts);
    out["attempts"] = attempts_of(client, report);
  }
  return out;
}

// A reference clock has a name only, and so has a source without an address.
net::MetricLabels labels_of(const ntp::SourceReport& report) {
  return {{"source", report.name}, {"address", report.server ? format(*report.server) : ""}};
}

// One value of every source with keys of NTS.
struct NtsMetric {
  const char* name;
  const char* help;
  double (*value)(const ntp::NtsReport& report);
};

constexpr NtsMetric kNtsMetrics[] = {
    {"timepool_ntpd_source_nts_cookies", "NTS cookies that are held for the source.",
     [](const ntp::NtsReport& it) { return static_cast<double>(it.state.cookies); }},
    {"timepool_ntpd_source_nts_key_age_seconds", "Since the source's NTS keys were established.",
     [](const ntp::NtsReport& it) { return it.key_age.to_seconds(); }},
};

}  // namespace

std::string_view authentication_of(const ntp::SourceReport& report) {
  if (report.nts_required || report.nts) return "nts";
  return report.key != 0 ? "key" : "none";
}

bool is_proved(const ntp::SourceReport& report) {
  if (report.nts_required || report.nts) return report.nts && report.nts->state.proven;
  return report.key != 0 && report.authenticated;
}

json::object nts_object(const ntp::NtsReport& nts) {
  json::object out;
  out["aead"] = name_of(nts.state.aead);
  out["key_bits"] = 8 * key_size(nts.state.aead);
  out["cookies"] = nts.state.cookies;
  out["proven"] = nts.state.proven;
  out["key_age_s"] = nts.key_age.to_seconds();
  out["key_server"] = format(nts.key_server);
  out["renewals"] = nts.state.renewals;
  out["naks"] = nts.state.naks_in_all;
  out["cookies_taken"] = nts.state.cookies_taken;
  json::object replies;
  for (std::size_t i = 0; i < nts::kReplyVerdictCount; ++i) {
    replies[nts::name_of(static_cast<nts::ReplyVerdict>(i))] = nts.state.verdicts[i];
  }
  out["replies"] = std::move(replies);
  return out;
}

json::object establishments_object(const TimeClient* client) {
  json::object out;
  if (client == nullptr) return out;
  for (const auto& [label, count] : client->key_source().outcomes()) out[label] = count;
  return out;
}

json::object authentication_report(const Halves& halves, MonoTime now) {
  json::array list;
  if (halves.client != nullptr) {
    for (const ntp::SourceReport& report : halves.client->keeper().reports(now)) {
      list.push_back(source_object(*halves.client, report));
    }
  }
  json::object out;
  out["sources"] = std::move(list);
  out["key_establishments"] = establishments_object(halves.client);
  return out;
}

void write_authentication_metrics(const TimeClient& client, MonoTime now, net::MetricSink& sink) {
  const std::vector<ntp::SourceReport> reports = client.keeper().reports(now);
  for (const ntp::SourceReport& report : reports) {
    net::MetricLabels labels = labels_of(report);
    labels.emplace_back("authentication", std::string(authentication_of(report)));
    sink.gauge("timepool_ntpd_source_proved",
               "1 while the source's packets are proved, by what the label says.",
               is_proved(report) ? 1 : 0, labels);
  }
  for (const NtsMetric& metric : kNtsMetrics) {
    for (const ntp::SourceReport& report : reports) {
      if (!report.nts) continue;
      sink.gauge(metric.name, metric.help, metric.value(*report.nts), labels_of(report));
    }
  }
  for (const ntp::SourceReport& report : reports) {
    if (!report.nts) continue;
    sink.counter("timepool_ntpd_source_nts_naks_total",
                 "Requests that the source answered by NTSN.", report.nts->state.naks_in_all,
                 labels_of(report));
  }
  // There before the first one too, so that a rate of it begins at 0.
  std::map<std::string, std::uint64_t> outcomes = client.key_source().outcomes();
  KeyResult established;
  established.outcome = KeyOutcome::kEstablished;
  outcomes.try_emplace(label_of(established), 0);
  for (const auto& [outcome, count] : outcomes) {
    sink.counter("timepool_ntpd_client_key_establishments_total",
                 "Key establishments of the client, by what became of them.", count,
                 {{"outcome", outcome}});
  }
}

}  // namespace timepool::ntpd
