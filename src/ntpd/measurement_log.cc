#include "ntpd/measurement_log.h"

#include <algorithm>

#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

constexpr Duration kFlushAfter = Duration::seconds(1);

bool is_wanted(const config::NtpdLogConfig& config, LogKind kind) {
  switch (kind) {
    case LogKind::kMeasurements:
      return config.measurements;
    case LogKind::kStatistics:
      return config.statistics;
    case LogKind::kTracking:
      return config.tracking;
    case LogKind::kSelection:
      return config.selection;
    case LogKind::kRefclocks:
      break;
  }
  return config.refclocks;
}

constexpr double kPpm = 1e6;

TrackingRecord tracking_record(const ntp::Timekeeper& keeper, const ntp::Tracking& tracking) {
  TrackingRecord out;
  out.tracking = tracking;
  // A reference clock's name; a server that was replaced has no title any more.
  const std::string title = keeper.sources().title(tracking.association);
  const bool server = title.empty() || tracking.server != Endpoint();
  out.reference = server ? format(tracking.server.address) : title;
  const ntp::ClockEstimate& estimate = tracking.clock;
  const double rate = keeper.steers() ? keeper.discipline().base_rate() : estimate.frequency;
  out.frequency_ppm = -rate * kPpm;
  out.skew_ppm = estimate.frequency_sd * kPpm;
  out.offset = keeper.record().last_offset();
  out.remaining = tracking.offset;
  return out;
}

}  // namespace

MeasurementLog::MeasurementLog(net::Reactor& reactor, sys::Logger& logger,
                               const config::NtpdLogConfig& config)
    : reactor_(reactor) {
  for (std::size_t i = 0; i < kLogKinds; ++i) {
    const auto kind = static_cast<LogKind>(i);
    if (!is_wanted(config, kind)) continue;
    files_[i] =
        std::make_unique<LogFile>(config.directory + "/" + std::string(name_of(kind)) + ".log",
                                  heading_of(kind), config.banner, logger);
  }
}

void MeasurementLog::append(LogKind kind, std::string_view line) {
  LogFile* file = files_[static_cast<std::size_t>(kind)].get();
  if (file == nullptr) return;
  file->append(line);
  if (file->pending() && !timer_.pending()) {
    timer_ = reactor_.at(sys::mono_now() + kFlushAfter, [this] { flush(); });
  }
}

void MeasurementLog::flush() {
  for (const auto& file : files_) {
    if (file) file->flush();
  }
}

void MeasurementLog::cycle() {
  for (const auto& file : files_) {
    if (file) file->reopen();
  }
}

void log_answer(MeasurementLog& log, const ntp::Timekeeper& keeper, ntp::AssociationId association,
                const ntp::ClockReading& now) {
  const std::vector<ntp::SourceReport> reports = keeper.reports(now.mono);
  const auto found = std::find_if(
      reports.begin(), reports.end(),
      [&](const ntp::SourceReport& report) { return report.association == association; });
  // It may be gone with its answer: replaced, or denied.
  if (found == reports.end() || !found->last_answer) return;
  log.append(LogKind::kMeasurements, measurement_line(*found, now.system));
  if (found->last_answer->reason != ntp::ReplyReason::kAccepted) return;
  log_sample(log, keeper, reports, *found, now);
}

void log_sample(MeasurementLog& log, const ntp::Timekeeper& keeper,
                const std::vector<ntp::SourceReport>& reports, const ntp::SourceReport& source,
                const ntp::ClockReading& now) {
  if (source.has_estimate) log.append(LogKind::kStatistics, statistics_line(source, now.system));
  if (log.wants(LogKind::kSelection)) {
    for (const ntp::SourceReport& report : reports) {
      log.append(LogKind::kSelection, selection_line(report, now.system));
    }
  }
  const ntp::Tracking tracking = keeper.tracking(now.mono);
  if (!tracking.synchronised) return;
  log.append(LogKind::kTracking, tracking_line(tracking_record(keeper, tracking), now.system));
}

}  // namespace timepool::ntpd
