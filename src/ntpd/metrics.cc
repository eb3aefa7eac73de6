#include "net/metrics.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/report.h"
#include "ntpd/report_acme.h"
#include "ntpd/report_authentication.h"
#include "ntpd/report_cookies.h"
#include "ntpd/report_keys.h"
#include "ntpd/report_services.h"
#include "sys/clock.h"
#include "sys/version.h"

namespace timepool::ntpd {
namespace {

// Every metric's name begins so.
std::string name_of_metric(std::string_view name) {
  return "timepool_ntpd_" + std::string(name);
}

// The sink with the names of this program.
class Writer {
 public:
  explicit Writer(net::MetricSink& sink) : sink_(sink) {}
  void counter(std::string_view name, std::string_view help, std::uint64_t value,
               const net::MetricLabels& labels = {}) {
    sink_.counter(name_of_metric(name), help, value, labels);
  }
  void gauge(std::string_view name, std::string_view help, double value,
             const net::MetricLabels& labels = {}) {
    sink_.gauge(name_of_metric(name), help, value, labels);
  }
  void histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum) {
    sink_.histogram(name_of_metric(name), help, bounds, counts, sum);
  }

 private:
  net::MetricSink& sink_;
};

net::MetricLabels reason_label(std::string_view reason) {
  return {{"reason", std::string(reason)}};
}

// Versions and modes that exist, and others when they came.
void add_kinds(const ServerCounts& counts, Writer& out) {
  for (unsigned i = 0; i < 8; ++i) {
    const std::uint64_t count = counts.of_version(i);
    if (count == 0 && (i == 0 || i > wire::ntp::kMaxVersion)) continue;
    out.counter("server_datagrams_by_version_total",
                "Datagrams that came to the server, by the version in them.", count,
                {{"version", std::to_string(i)}});
  }
  for (unsigned i = 0; i < 8; ++i) {
    out.counter("server_datagrams_by_mode_total",
                "Datagrams that came to the server, by the mode in them.", counts.of_mode(i),
                {{"mode", std::to_string(i)}});
  }
}

void add_latency(const ServerCounts& counts, Writer& out) {
  std::array<double, kLatencyBuckets - 1> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = static_cast<double>(latency_bound_us(i)) * 1e-6;
  }
  out.histogram("server_latency_seconds", "From a request's receive timestamp to its reply's.",
                bounds, counts.latency, static_cast<double>(counts.latency_sum_ns) * 1e-9);
}

void add_server(const TimeServer& server, Writer& out) {
  const ServerCounts counts = server.counts();
  for (std::size_t i = 0; i < counts.reasons.size(); ++i) {
    out.counter("server_datagrams_total",
                "Datagrams that came to the server, by what became of them.", counts.reasons[i],
                reason_label(name_of(static_cast<ntp::Reason>(i))));
  }
  add_kinds(counts, out);
  add_latency(counts, out);
  out.gauge("server_requests_per_second", "Datagrams a second, over the last ten seconds.",
            server.rates().newest);
  const net::UdpTotals totals = server.totals();
  out.counter("server_replies_sent_total", "Replies that the system took.", totals.sent);
  out.counter("server_replies_refused_total", "Replies that the system refused to send.",
              totals.refused);
  out.counter("server_receive_errors_total", "Receive calls that failed.", totals.errors);
  out.gauge("server_clients", "Clients that are remembered.",
            static_cast<double>(server.clients_remembered()));
  out.gauge("server_clients_limit", "Clients that can be remembered.",
            static_cast<double>(server.clients_at_most()));
  for (std::size_t i = 0; i < ntp::RateLimiter::kEventCount; ++i) {
    const auto event = static_cast<ntp::RateLimiter::Event>(i);
    out.counter("server_limiter_events_total",
                "What the rate limits did besides dropping requests.", server.count(event),
                {{"event", std::string(name_of(event))}});
  }
  out.gauge("server_access_prefixes", "Prefixes in the access lists.",
            static_cast<double>(server.prefixes()));
  const ntp::ServerState& state = server.state();
  out.gauge("server_stratum", "The stratum announced; 16: not synchronised.",
            state.synchronised() ? state.stratum : wire::ntp::kMaxStratum);
  out.gauge("server_smear_offset_seconds",
            "The time served less UTC while a leap second is smeared; else 0.",
            server.smeared().to_seconds());
  out.gauge("server_test_offset_seconds", "By how much the server lies; 0: not at all.",
            state.test_offset.to_seconds());
}

void add_cookies(const Halves& halves, Writer& out) {
  each_cookie_metric(halves.server->cookie_counts(), halves.cookies, [&](const CookieMetric& it) {
    net::MetricLabels labels;
    if (!it.label.empty()) labels.emplace_back(std::string(it.label_name), it.label);
    if (it.counter) {
      out.counter(it.name, it.help, static_cast<std::uint64_t>(it.value), labels);
    } else {
      out.gauge(it.name, it.help, it.value, labels);
    }
  });
}

// One value of every source, or of those with an estimate.
struct SourceMetric {
  std::string_view name;
  std::string_view help;
  bool needs_estimate;
  double (*value)(const ntp::SourceReport& report);
};

constexpr SourceMetric kSourceMetrics[] = {
    {"source_reach", "Of the last eight requests, how many brought a usable answer.", false,
     [](const ntp::SourceReport& it) { return static_cast<double>(__builtin_popcount(it.reach)); }},
    {"source_poll_interval_seconds", "Time between two requests.", false,
     [](const ntp::SourceReport& it) { return ntp::exp2_seconds(it.poll).to_seconds(); }},
    {"source_unanswered", "Requests in a row without an answer.", false,
     [](const ntp::SourceReport& it) { return static_cast<double>(it.unanswered); }},
    {"source_offset_seconds", "The source's clock less the system's.", true,
     [](const ntp::SourceReport& it) { return it.estimate.offset.to_seconds(); }},
    {"source_delay_seconds", "Round trip to the source.", true,
     [](const ntp::SourceReport& it) { return it.estimate.sample.delay.to_seconds(); }},
    {"source_jitter_seconds", "Standard deviation of the source's samples.", true,
     [](const ntp::SourceReport& it) { return it.estimate.jitter.to_seconds(); }},
    {"source_distance_seconds", "The most that the source's offset is wrong, by its own claim.",
     true, [](const ntp::SourceReport& it) { return it.estimate.distance.to_seconds(); }},
    {"source_stratum", "The stratum that the source claims.", true,
     [](const ntp::SourceReport& it) { return static_cast<double>(it.estimate.sample.stratum); }},
    {"source_age_seconds", "Since its last sample.", true,
     [](const ntp::SourceReport& it) { return it.age.to_seconds(); }},
};

// A reference clock has a name only.
net::MetricLabels labels_of(const ntp::SourceReport& report) {
  return {{"source", report.name}, {"address", report.server ? format(*report.server) : ""}};
}

void add_sources(const std::vector<ntp::SourceReport>& reports, Writer& out) {
  for (const SourceMetric& metric : kSourceMetrics) {
    for (const ntp::SourceReport& report : reports) {
      if (report.association == 0 || (metric.needs_estimate && !report.has_estimate)) continue;
      out.gauge(metric.name, metric.help, metric.value(report), labels_of(report));
    }
  }
  for (const ntp::SourceReport& report : reports) {
    if (report.association == 0) continue;
    net::MetricLabels labels = labels_of(report);
    labels.emplace_back("state", std::string(name_of(report.status)));
    labels.emplace_back("cause", std::string(name_of(report.cause)));
    out.gauge("source_state", "1, with what the source is used for as the labels.", 1, labels);
  }
}

void add_tracking(const ntp::Tracking& tracking, Writer& out) {
  out.gauge("synchronised", "1 when a majority of the sources agrees.",
            tracking.synchronised ? 1 : 0);
  out.gauge("sources_in_use", "How many sources agree.", static_cast<double>(tracking.survivors));
  out.gauge("leap_seconds", "Seconds inserted at the end of the day; negative: left out.",
            tracking.leap == wire::ntp::Leap::kInsert   ? 1
            : tracking.leap == wire::ntp::Leap::kDelete ? -1
                                                        : 0);
  out.gauge("stratum", "Our stratum; 16: not synchronised.",
            tracking.synchronised ? tracking.stratum : wire::ntp::kMaxStratum);
  if (tracking.association == 0) return;
  out.gauge("offset_seconds", "True time less the system clock's, by the sources.",
            tracking.offset.to_seconds());
  out.gauge("offset_uncertainty_seconds", "The most that the offset is wrong.",
            tracking.uncertainty.to_seconds());
  out.gauge("jitter_seconds", "Standard deviation of what the offset is made from.",
            tracking.jitter.to_seconds());
  out.gauge("root_delay_seconds", "Round trip to the primary source.",
            tracking.root_delay.to_seconds());
  out.gauge("root_dispersion_seconds", "Error gathered on the way from the primary source.",
            tracking.root_dispersion.to_seconds());
}

void add_clock(const ntp::Timekeeper& keeper, Writer& out) {
  out.gauge("steers", "1 when the system clock is steered, 0 when it is only observed.",
            keeper.steers() ? 1 : 0);
  const ntp::ClockRecord& record = keeper.record();
  out.counter("updates_total", "How often the time was made anew.", record.updates());
  if (!record.estimate()) return;
  out.gauge("last_offset_seconds", "The offset at the last update, before anything was done.",
            record.last_offset().to_seconds());
  out.gauge("rms_offset_seconds", "Root mean square of these over some ten updates.",
            record.rms_offset().to_seconds());
  if (!record.estimate()->has_frequency) return;
  const double rate =
      keeper.steers() ? keeper.discipline().base_rate() : record.estimate()->frequency;
  out.gauge("frequency_ratio", "How much the clock gains in a second if nobody corrects it.",
            -rate);
  out.gauge("frequency_sd_ratio", "Standard deviation of the frequency.",
            record.estimate()->frequency_sd);
}

void add_refclocks(const TimeClient& client, Writer& out) {
  for (const auto& [id, clock] : client.sources().refclocks()) {
    for (std::size_t i = 0; i < ntp::kRefclockReasonCount; ++i) {
      const auto reason = static_cast<ntp::RefclockReason>(i);
      out.counter("refclock_looks_total", "Looks at reference clocks, by what became of them.",
                  clock->count(reason),
                  {{"refclock", clock->config().name}, {"reason", std::string(name_of(reason))}});
    }
    out.gauge("refclock_failed", "1 while the driver can't read its device.",
              client.refclocks().failure(id).empty() ? 0 : 1, {{"refclock", clock->config().name}});
  }
}

void add_client(const TimeClient& client, MonoTime now, Writer& out) {
  for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
    const auto reason = static_cast<ntp::ReplyReason>(i);
    out.counter("client_datagrams_total",
                "Datagrams that came to the client, by what became of them.",
                client.sources().count(reason), reason_label(name_of(reason)));
  }
  out.counter("client_requests_total", "Requests sent.", client.requests_sent());
  out.counter("client_send_failures_total", "Requests that the system refused to send.",
              client.send_failures());
  add_tracking(client.keeper().tracking(now), out);
  add_clock(client.keeper(), out);
  add_sources(client.keeper().reports(now), out);
  add_refclocks(client, out);
}

}  // namespace

void write_metrics(const Halves& halves, MonoTime now, net::MetricSink& sink) {
  Writer out(sink);
  out.gauge("build_info", "1, with the program's version as the label.", 1,
            {{"version", std::string(sys::version())}});
  if (halves.server != nullptr) {
    add_server(*halves.server, out);
    add_cookies(halves, out);
  }
  if (halves.key_server != nullptr) write_key_metrics(*halves.key_server, sys::unix_now(), sink);
  if (halves.acme != nullptr) write_acme_metrics(*halves.acme, sys::unix_now(), sink);
  if (halves.client != nullptr) {
    add_client(*halves.client, now, out);
    write_authentication_metrics(*halves.client, now, sink);
    write_services_metrics(*halves.client, now, sink);
  }
}

}  // namespace timepool::ntpd
