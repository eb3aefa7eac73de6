// RefclockLog: what reference clocks gave, for refclocks.log and, as of every source, for the logs
// of estimates, selection and clock. Main thread only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ntp/timekeeper.h"
#include "ntpd/measurement_log.h"
#include "refclock/driver.h"

namespace timepool::ntpd {

// The line of a reading that was just handled with that outcome.
RefclockRecord reading_record(const ntp::Timekeeper& keeper, const ntp::Refclock& clock,
                              const ntp::RefclockReading& reading, ntp::RefclockReason reason);
// The line of the last sample. CHECKs that there is one.
RefclockRecord sample_record(const ntp::Timekeeper& keeper, const ntp::Refclock& clock);

class RefclockLog {
 public:
  // A look of that clock's driver was just handled with that outcome.
  void look(MeasurementLog& log, const ntp::Timekeeper& keeper, ntp::AssociationId id,
            const refclock::Look& look, ntp::RefclockReason reason) const;
  // The polls that are over were just ended: logs each sample once.
  void samples(MeasurementLog& log, const ntp::Timekeeper& keeper, const ntp::ClockReading& now);

 private:
  std::uint64_t logged_ = 0;  // samples of all clocks
  // How many samples of each clock there were; at most ntp::kMaxRefclocks.
  std::vector<std::pair<ntp::AssociationId, std::uint64_t>> counts_;
};

}  // namespace timepool::ntpd
