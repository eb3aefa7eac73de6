// The lines of the measurement logs and their headings: timepool-ntpd(8) has the columns. Text from
// values; nothing is read or written here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ntp/refclock_reading.h"
#include "ntp/source_report.h"

namespace timepool::ntpd {

enum class LogKind : std::uint8_t { kMeasurements, kStatistics, kTracking, kSelection, kRefclocks };
inline constexpr std::size_t kLogKinds = 5;

// What a line of tracking.log is made from.
struct TrackingRecord {
  ntp::Tracking tracking;
  std::string reference;     // address of the server, or name of the reference clock
  double frequency_ppm = 0;  // of our clock if it were left alone; positive is fast
  double skew_ppm = 0;
  Duration offset;     // true time less the system clock's, before anything was done about it
  Duration remaining;  // and now
};

// What a line of refclocks.log is made from: a reading, or the sample that readings became. Times
// and offsets are against the system clock.
struct RefclockRecord {
  std::string name;
  UnixTime at;
  // Readings of the poll until this one, or in the sample; 0: this one is not used.
  std::size_t readings = 0;
  wire::ntp::Leap leap = wire::ntp::Leap::kNone;
  bool sample = false;
  bool pulse = false;              // a reading that only tells where a second begins
  std::optional<Duration> raw;     // of a reading, as it came
  std::optional<Duration> offset;  // as it is used
  Duration dispersion;
  ntp::RefclockReason reason = ntp::RefclockReason::kAccepted;  // of a reading
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
std::string refclock_line(const RefclockRecord& record);

}  // namespace timepool::ntpd
