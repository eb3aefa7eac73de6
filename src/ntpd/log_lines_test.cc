#include "ntpd/log_lines.h"

#include <gtest/gtest.h>

namespace timepool::ntpd {
namespace {

const UnixTime kAt = UnixTime::from_seconds(1'795'274'519);

ntp::SourceReport report() {
  ntp::SourceReport out;
  out.name = "ntp.example";
  out.server = parse_endpoint("192.0.2.1:123").value();
  out.status = ntp::SourceStatus::kSelected;
  out.poll = 6;
  out.reach = 0377;
  ntp::Reply reply;
  reply.reason = ntp::ReplyReason::kAccepted;
  reply.has_times = true;
  reply.sample.offset = Duration::microseconds(-125);
  reply.sample.delay = Duration::milliseconds(2);
  reply.sample.dispersion = Duration::nanoseconds(61);
  reply.sample.leap = wire::ntp::Leap::kInsert;
  reply.sample.stratum = 2;
  reply.sample.poll = 7;
  reply.sample.root_delay = Duration::milliseconds(1);
  reply.sample.root_dispersion = Duration::microseconds(15);
  reply.sample.reference_id = wire::ntp::ReferenceId::from_text("GPS");
  reply.sample.interleaved = true;
  reply.sample.sent_by = ntp::StampSource::kHardware;
  reply.sample.received_by = ntp::StampSource::kKernel;
  out.last_answer = reply;
  out.has_estimate = true;
  out.age = Duration::seconds(3);
  out.estimate.offset = Duration::microseconds(-120);
  out.estimate.distance = Duration::milliseconds(1);
  out.estimate.jitter = Duration::microseconds(9);
  out.estimate.offset_sd = 2e-6;
  out.estimate.frequency = -1.5e-6;
  out.estimate.frequency_sd = 3e-8;
  out.estimate.count = 12;
  out.estimate.span = Duration::seconds(640);
  out.estimate.asymmetry = 0.25;
  return out;
}

std::size_t words(std::string_view text) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ' ' && (i == 0 || text[i - 1] == ' ')) ++out;
  }
  return out;
}

TEST(LogLines, of_a_measurement_have_what_the_server_said_and_what_was_measured) {
  EXPECT_EQ(measurement_line(report(), kAt),
            "2026-11-21 15:21:59 192.0.2.1                +  2 accepted              6   7 "
            "-1.250e-04  2.000e-03  6.100e-08  1.000e-03  1.500e-05 47505300 HK I");
}

TEST(LogLines, of_a_measurement_without_times_keep_their_columns) {
  ntp::SourceReport kissed = report();
  kissed.last_answer->reason = ntp::ReplyReason::kKissRate;
  kissed.last_answer->has_times = false;
  const std::string line = measurement_line(kissed, kAt);
  EXPECT_EQ(words(line), words(measurement_line(report(), kAt)));
  EXPECT_NE(line.find(" kiss_rate "), std::string::npos);
}

TEST(LogLines, of_statistics_have_the_estimate) {
  EXPECT_EQ(statistics_line(report(), kAt),
            "2026-11-21 15:21:59 192.0.2.1                 9.000e-06 -1.200e-04  2.000e-06  "
            "1.500e-06  3.000e-08  12  6.400e+02 +0.25");
}

TEST(LogLines, of_selection_have_the_interval_or_dashes) {
  EXPECT_EQ(
      selection_line(report(), kAt),
      "2026-11-21 15:21:59 192.0.2.1                * 377    3 -1.120e-03  8.800e-04 selected");
  ntp::SourceReport silent = report();
  silent.server.reset();
  silent.has_estimate = false;
  silent.status = ntp::SourceStatus::kUnusable;
  silent.reach = 0;
  EXPECT_EQ(
      selection_line(silent, kAt),
      "2026-11-21 15:21:59 ntp.example              ? 000    -          -          - unusable");
}

TEST(LogLines, of_tracking_have_the_clock) {
  TrackingRecord record;
  record.reference = "2001:db8::1";
  record.tracking.stratum = 3;
  record.tracking.leap = wire::ntp::Leap::kNone;
  record.tracking.survivors = 4;
  record.tracking.clock.offset_sd = 1e-6;
  record.tracking.root_delay = Duration::milliseconds(3);
  record.tracking.root_dispersion = Duration::milliseconds(1);
  record.tracking.uncertainty = Duration::milliseconds(4);
  record.frequency_ppm = -12.3456;
  record.skew_ppm = 0.05;
  record.offset = Duration::microseconds(50);
  record.remaining = Duration::microseconds(-1);
  EXPECT_EQ(tracking_line(record, kAt),
            "2026-11-21 15:21:59 2001:db8::1               3    -12.346      0.050  5.000e-05 N  4 "
            " 1.000e-06 -1.000e-06  3.000e-03  1.000e-03  4.000e-03");
}

RefclockRecord refclock_record() {
  RefclockRecord out;
  out.name = "PPS0";
  out.at = kAt + Duration::microseconds(41);
  out.readings = 7;
  out.pulse = true;
  out.raw = Duration::nanoseconds(-41'000);
  out.offset = Duration::nanoseconds(-40'750);
  out.dispersion = Duration::microseconds(1);
  return out;
}

TEST(LogLines, of_a_refclocks_reading_have_what_came_and_what_is_used) {
  EXPECT_EQ(refclock_line(refclock_record()),
            "2026-11-21 15:21:59.000041 PPS0                        7 N 1 -4.100e-05 -4.075e-05  "
            "1.000e-06 accepted");
}

TEST(LogLines, of_a_refclocks_reading_without_a_use_keep_their_columns) {
  RefclockRecord refused = refclock_record();
  refused.readings = 0;
  refused.offset.reset();
  refused.reason = ntp::RefclockReason::kAmbiguous;
  const std::string line = refclock_line(refused);
  EXPECT_EQ(words(line), words(refclock_line(refclock_record())));
  EXPECT_NE(line.find(" - N 1 "), std::string::npos) << line;
  EXPECT_TRUE(line.ends_with(" ambiguous")) << line;
}

TEST(LogLines, of_a_refclocks_sample_have_no_raw_offset) {
  RefclockRecord sample = refclock_record();
  sample.sample = true;
  sample.raw.reset();
  sample.leap = wire::ntp::Leap::kDelete;
  EXPECT_EQ(refclock_line(sample),
            "2026-11-21 15:21:59.000041 PPS0                        7 - -          - -4.075e-05  "
            "1.000e-06 sample");
}

TEST(LogLines, stand_below_their_headings) {
  const auto fits = [](LogKind kind, const std::string& line) {
    const std::string heading = heading_of(kind);
    // The last column ends where the heading does, or is text that begins there.
    return kind == LogKind::kSelection   ? line.find("selected") == heading.find("Status")
           : kind == LogKind::kRefclocks ? line.find("accepted") == heading.find("Reason")
                                         : line.size() == heading.size();
  };
  EXPECT_TRUE(fits(LogKind::kMeasurements, measurement_line(report(), kAt)));
  EXPECT_TRUE(fits(LogKind::kStatistics, statistics_line(report(), kAt)));
  EXPECT_TRUE(fits(LogKind::kSelection, selection_line(report(), kAt)));
  EXPECT_TRUE(fits(LogKind::kTracking, tracking_line(TrackingRecord(), kAt)));
  EXPECT_TRUE(fits(LogKind::kRefclocks, refclock_line(refclock_record())));
}

}  // namespace
}  // namespace timepool::ntpd
