#include "ntpd/log_lines.h"

#include <fmt/format.h>

#include "base/check.h"
#include "wire/ntp/reference_id.h"

namespace timepool::ntpd {
namespace {

// "2026-11-21 15:21:59", and a point and as many digits.
std::string date_and_time(UnixTime at, int digits = 0) {
  std::string out = format_utc(at, digits);
  out[10] = ' ';
  out.pop_back();
  return out;
}

std::string subject(const ntp::SourceReport& report) {
  return report.server ? format(report.server->address) : report.name;
}

// chrony's letters.
char letter_of(wire::ntp::Leap leap) {
  switch (leap) {
    case wire::ntp::Leap::kNone:
      return 'N';
    case wire::ntp::Leap::kInsert:
      return '+';
    case wire::ntp::Leap::kDelete:
      return '-';
    case wire::ntp::Leap::kUnsynchronised:
      break;
  }
  return '?';
}

char letter_of(ntp::StampSource source) {
  switch (source) {
    case ntp::StampSource::kKernel:
      return 'K';
    case ntp::StampSource::kHardware:
      return 'H';
    case ntp::StampSource::kProgram:
      break;
  }
  return 'P';
}

double seconds(Duration duration) {
  return duration.to_seconds();
}

std::string span_or_dash(const std::optional<Duration>& duration) {
  return duration ? fmt::format("{:10.3e}", seconds(*duration)) : fmt::format("{:>10}", "-");
}

}  // namespace

std::string_view name_of(LogKind kind) {
  switch (kind) {
    case LogKind::kMeasurements:
      return "measurements";
    case LogKind::kStatistics:
      return "statistics";
    case LogKind::kTracking:
      return "tracking";
    case LogKind::kSelection:
      return "selection";
    case LogKind::kRefclocks:
      break;
  }
  return "refclocks";
}

std::string measurement_line(const ntp::SourceReport& report, UnixTime at) {
  CHECK(report.last_answer.has_value());
  const ntp::Reply& reply = *report.last_answer;
  const ntp::Sample& sample = reply.sample;
  std::string times = fmt::format("{:>10} {:>10} {:>10}", "-", "-", "-");
  if (reply.has_times) {
    times = fmt::format("{:10.3e} {:10.3e} {:10.3e}", seconds(sample.offset), seconds(sample.delay),
                        seconds(sample.dispersion));
  }
  return fmt::format("{} {:<24} {} {:2} {:<19} {:3} {:3} {} {:10.3e} {:10.3e} {:08X} {}{} {}",
                     date_and_time(at), subject(report), letter_of(sample.leap), sample.stratum,
                     name_of(reply.reason), report.poll, sample.poll, times,
                     seconds(sample.root_delay), seconds(sample.root_dispersion),
                     sample.reference_id.bits(), letter_of(sample.sent_by),
                     letter_of(sample.received_by), sample.interleaved ? 'I' : 'B');
}

std::string statistics_line(const ntp::SourceReport& report, UnixTime at) {
  CHECK(report.has_estimate);
  const ntp::Estimate& estimate = report.estimate;
  return fmt::format("{} {:<24} {:10.3e} {:10.3e} {:10.3e} {:10.3e} {:10.3e} {:3} {:10.3e} {:+.2f}",
                     date_and_time(at), subject(report), seconds(estimate.jitter),
                     seconds(estimate.offset), estimate.offset_sd, -estimate.frequency,
                     estimate.frequency_sd, estimate.count, seconds(estimate.span),
                     estimate.asymmetry);
}

std::string tracking_line(const TrackingRecord& record, UnixTime at) {
  const ntp::Tracking& tracking = record.tracking;
  return fmt::format(
      "{} {:<24} {:2} {:10.3f} {:10.3f} {:10.3e} {} {:2} {:10.3e} {:10.3e} {:10.3e} {:10.3e} "
      "{:10.3e}",
      date_and_time(at), record.reference, tracking.stratum, record.frequency_ppm, record.skew_ppm,
      seconds(record.offset), letter_of(tracking.leap), tracking.survivors,
      tracking.clock.offset_sd, seconds(record.remaining), seconds(tracking.root_delay),
      seconds(tracking.root_dispersion), seconds(tracking.uncertainty));
}

std::string selection_line(const ntp::SourceReport& report, UnixTime at) {
  std::string interval = fmt::format("{:>4} {:>10} {:>10}", "-", "-", "-");
  if (report.has_estimate) {
    const ntp::Estimate& estimate = report.estimate;
    interval = fmt::format("{:4.0f} {:10.3e} {:10.3e}", seconds(report.age),
                           seconds(estimate.offset - estimate.distance),
                           seconds(estimate.offset + estimate.distance));
  }
  return fmt::format("{} {:<24} {} {:03o} {} {}", date_and_time(at), subject(report),
                     static_cast<char>(report.status), report.reach, interval,
                     name_of(report.status));
}

std::string refclock_line(const RefclockRecord& record) {
  const std::string number = record.readings == 0 ? "-" : std::to_string(record.readings);
  const char pulse = record.sample ? '-' : record.pulse ? '1' : '0';
  return fmt::format("{} {:<24} {:>4} {} {} {} {} {:10.3e} {}", date_and_time(record.at, 6),
                     record.name, number, letter_of(record.leap), pulse, span_or_dash(record.raw),
                     span_or_dash(record.offset), seconds(record.dispersion),
                     record.sample ? "sample" : name_of(record.reason));
}

std::string heading_of(LogKind kind) {
  if (kind == LogKind::kRefclocks) {
    return "   Date (UTC) Time         Reference clock            Nr L P Raw offset     Offset     "
           " "
           "Disp. Reason";
  }
  const std::string_view start = "   Date (UTC) Time  IP Address               ";
  std::string_view rest;
  switch (kind) {
    case LogKind::kMeasurements:
      rest =
          "L St Reason               LP  RP     Offset      Delay      Disp. Root delay "
          "Root disp. Refid    TR M";
      break;
    case LogKind::kStatistics:
      rest = " Std dev'n Est offset  Offset sd  Frequency    Freq sd  Ns       Span  Asym";
      break;
    case LogKind::kTracking:
      rest =
          "St   Freq ppm   Skew ppm     Offset L Co  Offset sd Rem. corr. Root delay "
          "Root disp. Max. error";
      break;
    case LogKind::kSelection:
      rest = "S Rch Last    Low end   High end Status";
      break;
    case LogKind::kRefclocks:
      break;
  }
  return std::string(start) + std::string(rest);
}

}  // namespace timepool::ntpd
