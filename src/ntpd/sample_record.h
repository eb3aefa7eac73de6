// SampleRecord: keeps the sources' samples on disk while the clock is steered, for a warm restart
// (ntp/saved_samples.h): each quarter of an hour and at the end. Main thread only.
#pragma once

#include <string>

#include "ntp/timekeeper.h"
#include "sys/log.h"

namespace timepool::ntpd {

class SampleRecord {
 public:
  // `directory` as ClockRecord's; empty: nothing is kept, and nothing is said of it.
  SampleRecord(const std::string& directory, sys::Logger& logger);

  // Before the first reply. What can't be used is left, with a message that says why.
  void load(ntp::Timekeeper& keeper);
  // After every call into the Timekeeper.
  void note(const ntp::Timekeeper& keeper, MonoTime now);
  // Before the program ends.
  void save(const ntp::Timekeeper& keeper, MonoTime now);

 private:
  std::string path_;
  sys::Logger& logger_;
  ntp::BootId boot_;
  MonoTime saved_;
};

}  // namespace timepool::ntpd
