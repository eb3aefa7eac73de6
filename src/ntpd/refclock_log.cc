#include "ntpd/refclock_log.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace timepool::ntpd {
namespace {

// How far the pulse is from where the system clock begins the nearest part of a second.
Duration pulse_offset(UnixTime at, int rate) {
  return ntp::align_pulse(at, rate, {}).offset;
}

}  // namespace

RefclockRecord reading_record(const ntp::Timekeeper& keeper, const ntp::Refclock& clock,
                              const ntp::RefclockReading& reading, ntp::RefclockReason reason) {
  RefclockRecord out;
  out.name = clock.config().name;
  out.at = reading.local;
  out.leap = reading.leap;
  out.pulse = reading.pulse || clock.config().pulses;
  out.raw = out.pulse ? pulse_offset(reading.local, clock.config().rate) : reading.offset;
  out.dispersion = reading.dispersion;
  out.reason = reason;
  if (reason != ntp::RefclockReason::kAccepted) return out;
  const ntp::RefclockPoint& point = clock.newest_reading();
  out.readings = clock.readings();
  out.offset = point.offset - keeper.local_clock().correction(point.at);
  out.dispersion = point.dispersion;
  return out;
}

RefclockRecord sample_record(const ntp::Timekeeper& keeper, const ntp::Refclock& clock) {
  CHECK(clock.last_mean().has_value());
  const ntp::RefclockMean& mean = *clock.last_mean();
  RefclockRecord out;
  out.name = clock.config().name;
  out.at = keeper.system_time(mean.point.at);
  out.sample = true;
  out.readings = mean.used;
  out.leap = mean.point.leap;
  out.offset = mean.point.offset - keeper.local_clock().correction(mean.point.at);
  out.dispersion = mean.point.dispersion;
  return out;
}

void RefclockLog::look(MeasurementLog& log, const ntp::Timekeeper& keeper, ntp::AssociationId id,
                       const refclock::Look& look, ntp::RefclockReason reason) const {
  // What the driver itself refused is no reading: its counter tells of it.
  if (look.reason != ntp::RefclockReason::kAccepted || !log.wants(LogKind::kRefclocks)) return;
  for (const auto& [clock_id, clock] : keeper.sources().refclocks()) {
    if (clock_id != id) continue;
    log.append(LogKind::kRefclocks,
               refclock_line(reading_record(keeper, *clock, look.reading, reason)));
  }
}

void RefclockLog::samples(MeasurementLog& log, const ntp::Timekeeper& keeper,
                          const ntp::ClockReading& now) {
  if (keeper.sources().refclock_samples() == logged_) return;
  logged_ = keeper.sources().refclock_samples();
  const std::vector<ntp::SourceReport> reports = keeper.reports(now.mono);
  for (const auto& [id, clock] : keeper.sources().refclocks()) {
    auto known = std::find_if(counts_.begin(), counts_.end(),
                              [wanted = id](const auto& entry) { return entry.first == wanted; });
    if (known == counts_.end()) known = counts_.insert(counts_.end(), {id, 0});
    if (std::exchange(known->second, clock->samples()) == clock->samples()) continue;
    log.append(LogKind::kRefclocks, refclock_line(sample_record(keeper, *clock)));
    const auto report = std::find_if(
        reports.begin(), reports.end(),
        [wanted = id](const ntp::SourceReport& it) { return it.association == wanted; });
    CHECK(report != reports.end());
    log_sample(log, keeper, reports, *report, now);
  }
}

}  // namespace timepool::ntpd
