// MeasurementLog: the files of [log], each written within a second of a line. Main thread only.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "config/ntpd_reports.h"
#include "net/reactor.h"
#include "ntp/timekeeper.h"
#include "ntpd/log_file.h"
#include "ntpd/log_lines.h"

namespace timepool::ntpd {

class MeasurementLog {
 public:
  MeasurementLog(net::Reactor& reactor, sys::Logger& logger, const config::NtpdLogConfig& config);

  bool wants(LogKind kind) const { return file(kind) != nullptr; }
  // Nothing happens when that kind is not wanted.
  void append(LogKind kind, std::string_view line);
  // After rotation: the next line goes into a new file.
  void cycle();
  // Null when that kind is not wanted.
  const LogFile* file(LogKind kind) const { return files_[static_cast<std::size_t>(kind)].get(); }

 private:
  void flush();

  net::Reactor& reactor_;
  std::array<std::unique_ptr<LogFile>, kLogKinds> files_;
  net::Timer timer_;
};

// An answer of that association was just handled: logs what it measured and, when it was used, what
// became of its source, of the selection and of the clock with it.
void log_answer(MeasurementLog& log, const ntp::Timekeeper& keeper, ntp::AssociationId association,
                const ntp::ClockReading& now);

// A source has a new sample: logs what became of its estimate, of the selection and of the clock.
// `reports` are those of `now`, `source` is of them.
void log_sample(MeasurementLog& log, const ntp::Timekeeper& keeper,
                const std::vector<ntp::SourceReport>& reports, const ntp::SourceReport& source,
                const ntp::ClockReading& now);

}  // namespace timepool::ntpd
