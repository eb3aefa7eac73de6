// The lines of the measurement logs and their headings: timepool-ntpd(8) has the columns. Text from
// values; nothing is read or written here.
#pragma once

#include <string>
#include <string_view>

#include "ntp/source_report.h"

namespace timepool::ntpd {

enum class LogKind : std::uint8_t { kMeasurements, kStatistics, kTracking, kSelection };
inline constexpr std::size_t kLogKinds = 4;

// What a line of tracking.log is made from.
struct TrackingRecord {
  ntp::Tracking tracking;
  double frequency_ppm = 0;  // of our clock if it were left alone; positive is fast
  double skew_ppm = 0;
  Duration offset;     // true time less the system clock's, before anything was done about it
  Duration remaining;  // and now
};

// "measurements", ...: the name of the file, without ".log", and of the setting.
std::string_view name_of(LogKind kind);
std::string heading_of(LogKind kind);

// `at`: when it was logged. CHECKs report.last_answer and report.server.
std::string measurement_line(const ntp::SourceReport& report, UnixTime at);
// CHECKs report.has_estimate.
std::string statistics_line(const ntp::SourceReport& report, UnixTime at);
std::string tracking_line(const TrackingRecord& record, UnixTime at);
std::string selection_line(const ntp::SourceReport& report, UnixTime at);

}  // namespace timepool::ntpd
