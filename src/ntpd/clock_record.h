// ClockRecord: keeps ClockMemory on disk while the clock is steered: hourly, at the end, and at
// once when the allowance of the first start is used. Main thread only.
#pragma once

#include <optional>
#include <string>

#include "ntp/timekeeper.h"
#include "ntpd/clock_memory.h"
#include "sys/log.h"

namespace timepool::ntpd {

class ClockRecord {
 public:
  // `directory` is [state_directory], or the one that systemd names; empty: nothing is kept, and
  // there is no allowance of a first start, since a restart would grant it again.
  ClockRecord(const std::string& directory, sys::Logger& logger);

  // What the Timekeeper begins with.
  void apply(ntp::TimekeeperConfig& config) const;
  // After every call into the Timekeeper.
  void note(const ntp::Timekeeper& keeper, MonoTime now);
  // Before the program ends.
  void save(const ntp::Timekeeper& keeper, MonoTime now);

  const ClockMemory& memory() const { return memory_; }

 private:
  void write();

  std::string path_;
  sys::Logger& logger_;
  ClockMemory memory_;
  bool trusted_ = false;  // the file was read, or there is none: a first start is one
  MonoTime saved_;
};

// Where a ClockMemory lies.
std::string clock_memory_path(const std::string& directory);
// The directory that is meant: `configured`, else the first of $STATE_DIRECTORY, else none.
std::string state_directory(const std::string& configured);

}  // namespace timepool::ntpd
