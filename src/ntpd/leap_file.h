// LeapFile: reads leap-seconds.list at the start, every hour, and on reload. A file that is bad or
// gone leaves the last good one in force. Main thread only.
#pragma once

#include <functional>
#include <string>

#include "net/reactor.h"
#include "ntp/leap_table.h"
#include "sys/log.h"

namespace timepool::ntpd {

class LeapFile {
 public:
  // `taken` gets each table that differs from the last.
  LeapFile(net::Reactor& reactor, sys::Logger& logger, std::string path,
           std::function<void(const ntp::LeapTable&)> taken);
  void read();

 private:
  void take(const ntp::LeapTable& table);
  void warn_about_expiry(const ntp::LeapTable& table);

  net::Reactor& reactor_;
  sys::Logger& logger_;
  std::string path_;
  std::function<void(const ntp::LeapTable&)> taken_;
  net::Timer timer_;
  std::string text_;         // the last good one's
  std::string last_fault_;   // logged once until it changes
  std::int64_t warned_ = 0;  // the day of the last warning about the expiry
};

}  // namespace timepool::ntpd
