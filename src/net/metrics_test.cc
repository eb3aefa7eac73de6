#include "net/metrics.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "net/http_client.h"
#include "net/metrics_http.h"

namespace timepool::net {
namespace {

TEST(Metrics, are_written_in_the_text_format) {
  MetricSink sink;
  sink.counter("timepool_ntp_datagrams_total", "Datagrams by reason.", 3, {{"reason", "ok"}});
  sink.gauge("timepool_ntp_offset_seconds", "Offset.", -0.25);
  sink.counter("timepool_ntp_datagrams_total", "Datagrams by reason.", 9007199254740993 - 1,
               {{"reason", "a \"quoted\"\\\n"}});
  EXPECT_EQ(sink.text(),
            "# HELP timepool_ntp_datagrams_total Datagrams by reason.\n"
            "# TYPE timepool_ntp_datagrams_total counter\n"
            "timepool_ntp_datagrams_total{reason=\"ok\"} 3\n"
            "timepool_ntp_datagrams_total{reason=\"a \\\"quoted\\\"\\\\\\n\"} 9007199254740992\n"
            "# HELP timepool_ntp_offset_seconds Offset.\n"
            "# TYPE timepool_ntp_offset_seconds gauge\n"
            "timepool_ntp_offset_seconds -0.25\n");
}

TEST(Metrics, histograms_are_cumulative) {
  MetricSink sink;
  const std::array bounds{0.5, 2.0};
  const std::array<std::uint64_t, 3> counts{1, 2, 4};
  sink.histogram("timepool_delay_seconds", "Delay.", bounds, counts, 12.5);
  EXPECT_EQ(sink.text(),
            "# HELP timepool_delay_seconds Delay.\n"
            "# TYPE timepool_delay_seconds histogram\n"
            "timepool_delay_seconds_count 7\n"
            "timepool_delay_seconds_sum 12.5\n"
            "timepool_delay_seconds_bucket{le=\"0.5\"} 1\n"
            "timepool_delay_seconds_bucket{le=\"2\"} 3\n"
            "timepool_delay_seconds_bucket{le=\"+Inf\"} 7\n");
}

TEST(Metrics, are_read_anew_for_every_scrape) {
  std::atomic<std::uint64_t> count{1};
  auto server = start_metrics_server(
      {"[metrics] listen", {IpAddress::v4(0x7f000001), 0}, ""}, {[&](MetricSink& sink) {
        sink.counter("timepool_count_total", "Count.", count.load(std::memory_order_relaxed));
      }},
      nullptr);
  ASSERT_TRUE(server.ok()) << server.error().text();
  HttpFetch fetch_metrics;
  fetch_metrics.url = "http://" + format((*server)->endpoints().at(0)) + "/metrics";
  auto response = fetch(fetch_metrics);
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_NE(response->body.find("\ntimepool_count_total 1\n"), std::string::npos);
  EXPECT_EQ(response->content_type, "text/plain; version=0.0.4; charset=utf-8");
  count = 2;
  EXPECT_NE(fetch(fetch_metrics)->body.find("\ntimepool_count_total 2\n"), std::string::npos);
  const auto second =
      start_metrics_server({"[metrics] listen", (*server)->endpoints().at(0), ""}, {}, nullptr);
  EXPECT_TRUE(second.error().text().starts_with("cannot listen: [metrics] listen = 127.0.0.1:"));
}

}  // namespace
}  // namespace timepool::net
