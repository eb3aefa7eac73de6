// RefclockDrivers: opens the drivers of the configured reference clocks, reads them at their pace,
// and opens those anew that fail or were not there yet. Main thread only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "config/ntpd_refclock.h"
#include "net/reactor.h"
#include "ntp/outbox.h"
#include "ntp/refclock.h"
#include "refclock/driver.h"
#include "sys/log.h"

namespace timepool::ntpd {

// What the core is told of a reference clock.
ntp::RefclockConfig refclock_config(const config::NtpRefclockConfig& config);

class RefclockDrivers {
 public:
  using Sink = std::function<void(ntp::AssociationId, const refclock::Look&)>;

  RefclockDrivers(net::Reactor& reactor, sys::Logger& logger, Sink sink);
  RefclockDrivers(const RefclockDrivers&) = delete;
  RefclockDrivers& operator=(const RefclockDrivers&) = delete;

  // Opens it with the next turn of the reactor.
  void add(ntp::AssociationId id, const config::NtpRefclockConfig& config);
  // Why its driver is not open; empty when it is.
  std::string failure(ntp::AssociationId id) const;

 private:
  struct Entry {
    ntp::AssociationId id;
    config::NtpRefclockConfig config;
    std::string name;
    std::unique_ptr<refclock::Driver> driver;
    net::Watch watch;  // after the driver whose descriptor it observes: it ends first
    net::Timer timer;
    Duration retry;
    std::string failure;
  };

  void open(Entry& entry);
  void close(Entry& entry, std::string why);
  void read(Entry& entry);
  void read_later(Entry& entry);

  net::Reactor& reactor_;
  sys::Logger& logger_;
  Sink sink_;
  std::list<Entry> entries_;  // callbacks hold pointers
};

}  // namespace timepool::ntpd
