#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <string_view>
#include <vector>

#include "ntpd/report.h"

namespace timepool::ntpd {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// The families in the order in which they were begun.
class Families {
 public:
  void begin(const std::string& name, const std::string& help, prometheus::MetricType type) {
    prometheus::MetricFamily family;
    family.name = "timepool_ntpd_" + name;
    family.help = help;
    family.type = type;
    families_.push_back(std::move(family));
  }
  void add(double value, Labels labels = {}) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == prometheus::MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  void counter(const std::string& name, const std::string& help, std::uint64_t value) {
    begin(name, help, prometheus::MetricType::Counter);
    add(static_cast<double>(value));
  }
  void gauge(const std::string& name, const std::string& help, double value) {
    begin(name, help, prometheus::MetricType::Gauge);
    add(value);
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

Labels reason_label(std::string_view reason) {
  return {{"reason", std::string(reason)}};
}

void add_server(const TimeServer& server, Families& out) {
  out.begin("server_datagrams_total", "Datagrams that came to the server, by what became of them.",
            prometheus::MetricType::Counter);
  const ReasonCounts counts = server.reasons();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    out.add(static_cast<double>(counts[i]), reason_label(name_of(static_cast<ntp::Reason>(i))));
  }
  const net::UdpTotals totals = server.totals();
  out.counter("server_replies_sent_total", "Replies that the system took.", totals.sent);
  out.counter("server_replies_refused_total", "Replies that the system refused to send.",
              totals.refused);
  out.counter("server_receive_errors_total", "Receive calls that failed.", totals.errors);
  const ntp::ServerState& state = server.state();
  out.gauge("server_stratum", "The stratum announced; 16: not synchronised.",
            state.synchronised() ? state.stratum : wire::ntp::kMaxStratum);
  out.gauge("server_test_offset_seconds", "By how much the server lies; 0: not at all.",
            state.test_offset.to_seconds());
}

using SourceValue = double (*)(const ntp::SourceReport& report);

void add_sources(const std::vector<ntp::SourceReport>& reports, const std::string& name,
                 const std::string& help, bool need_estimate, SourceValue value, Families& out) {
  out.begin(name, help, prometheus::MetricType::Gauge);
  for (const ntp::SourceReport& report : reports) {
    if (!report.server || (need_estimate && !report.has_estimate)) continue;
    out.add(value(report), {{"source", report.name}, {"address", format(*report.server)}});
  }
}

void add_client(const TimeClient& client, MonoTime now, Families& out) {
  out.begin("client_datagrams_total", "Datagrams that came to the client, by what became of them.",
            prometheus::MetricType::Counter);
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    const auto reason = static_cast<ntp::ReplyReason>(i);
    out.add(static_cast<double>(client.sources().count(reason)), reason_label(name_of(reason)));
  }
  out.counter("client_requests_total", "Requests sent.", client.requests_sent());
  out.counter("client_send_failures_total", "Requests that the system refused to send.",
              client.send_failures());
  const ntp::Tracking tracking = client.sources().tracking(now);
  out.gauge("synchronised", "1 when a majority of the sources agrees.",
            tracking.synchronised ? 1 : 0);
  if (tracking.association != 0) {
    out.gauge("offset_seconds", "True time less the system clock's, by the sources.",
              tracking.offset.to_seconds());
    out.gauge("offset_uncertainty_seconds", "The most that the offset is wrong.",
              tracking.uncertainty.to_seconds());
  }
  const std::vector<ntp::SourceReport> reports = client.sources().reports(now);
  add_sources(
      reports, "source_reach", "Of the last eight requests, how many brought a usable answer.",
      false,
      [](const ntp::SourceReport& report) {
        return static_cast<double>(__builtin_popcount(report.reach));
      },
      out);
  add_sources(
      reports, "source_offset_seconds", "The source's clock less the system's.", true,
      [](const ntp::SourceReport& report) { return report.estimate.sample.offset.to_seconds(); },
      out);
  add_sources(
      reports, "source_delay_seconds", "Round trip to the source.", true,
      [](const ntp::SourceReport& report) { return report.estimate.sample.delay.to_seconds(); },
      out);
}

}  // namespace

std::string metrics_text(const Halves& halves, MonoTime now) {
  Families out;
  if (halves.server != nullptr) add_server(*halves.server, out);
  if (halves.client != nullptr) add_client(*halves.client, now, out);
  return out.text();
}

}  // namespace timepool::ntpd
