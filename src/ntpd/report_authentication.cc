#include "ntpd/report_authentication.h"

#include <boost/json.hpp>
#include <map>
#include <optional>

#include "net/metrics.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

json::object source_object(const ntp::SourceReport& report) {
  json::object out;
  out["source"] = report.name;
  out["kind"] = name_of(report.kind);
  out["address"] = report.server ? json::value(format(*report.server)) : json::value(nullptr);
  out["authentication"] = authentication_of(report);
  out["proved"] = is_proved(report);
  if (report.key != 0) out["key"] = report.key;
  if (report.nts) {
    out["nts"] = nts_object(*report.nts);
    out["attempts"] = report.nts->attempts;
  }
  return out;
}

// A reference clock has a name only, and so has a source without an address.
net::MetricLabels labels_of(const ntp::SourceReport& report) {
  return {{"source", report.name}, {"address", report.server ? format(*report.server) : ""}};
}

// One value of every source with keys of NTS, if it has that.
struct NtsMetric {
  const char* name;
  const char* help;
  std::optional<double> (*value)(const ntp::NtsReport& report);
};

std::optional<double> seconds_of(const std::optional<Duration>& duration) {
  return duration ? std::optional(duration->to_seconds()) : std::nullopt;
}

json::value json_of(const std::optional<Duration>& duration) {
  return duration ? json::value(duration->to_seconds()) : json::value(nullptr);
}

// Of the certificate that gave the keys; nothing when it has no end.
std::optional<Duration> remaining(const nts::CertificateDates& certificate) {
  if (certificate.not_after == nts::CertificateDates{}.not_after) return std::nullopt;
  return certificate.not_after - sys::unix_now();
}

constexpr NtsMetric kNtsMetrics[] = {
    {"timepool_ntpd_source_nts_cookies", "NTS cookies that are held for the source.",
     [](const ntp::NtsReport& it) { return std::optional(static_cast<double>(it.state.cookies)); }},
    {"timepool_ntpd_source_nts_cookie_octets", "How long its cookies are.",
     [](const ntp::NtsReport& it) {
       return std::optional(static_cast<double>(it.state.cookie_size));
     }},
    {"timepool_ntpd_source_nts_key_age_seconds", "Since the source's NTS keys were established.",
     [](const ntp::NtsReport& it) { return std::optional(it.key_age.to_seconds()); }},
    {"timepool_ntpd_source_nts_key_lifetime_seconds",
     "When such keys are established anew, up to a quarter earlier or later.",
     [](const ntp::NtsReport& it) { return std::optional(it.key_lifetime.to_seconds()); }},
    {"timepool_ntpd_source_nts_attempts",
     "Key establishments since the last that led to authenticated time.",
     [](const ntp::NtsReport& it) { return std::optional(static_cast<double>(it.attempts)); }},
    {"timepool_ntpd_source_nts_attempt_age_seconds", "Since the last key establishment began.",
     [](const ntp::NtsReport& it) { return seconds_of(it.since_attempt); }},
    {"timepool_ntpd_source_nts_certificate_remaining_seconds",
     "Until the certificate ends that its keys were believed by.",
     [](const ntp::NtsReport& it) { return seconds_of(remaining(it.certificate)); }},
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
  out["key_id"] = nts.state.renewals;
  out["cookies"] = nts.state.cookies;
  out["cookie_octets"] = nts.state.cookie_size;
  out["proven"] = nts.state.proven;
  out["key_age_s"] = nts.key_age.to_seconds();
  out["key_lifetime_s"] = nts.key_lifetime.to_seconds();
  out["since_attempt_s"] = json_of(nts.since_attempt);
  out["since_keys_s"] = json_of(nts.since_keys);
  out["certificate_remaining_s"] = json_of(remaining(nts.certificate));
  out["certificate_judged"] = nts::name_of(nts.certificate.judged);
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
      list.push_back(source_object(report));
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
      const auto value = report.nts ? metric.value(*report.nts) : std::nullopt;
      if (value) sink.gauge(metric.name, metric.help, *value, labels_of(report));
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
