// HardwareTimestamps: the network devices that stamp packets, their clocks, and what their stamps
// are in system time. A device's clock is read when a stamp is to be mapped and the last reading is
// not fresh, so stamps are mapped from within a moment of a reading. Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ntp/hardware_clock.h"
#include "refclock/driver.h"
#include "sys/hardware_timestamping.h"
#include "sys/log.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

// Between system time, which steering bends, and raw time, in which two free clocks run evenly.
struct RawMapping {
  std::function<UnixTime(UnixTime system)> raw;
  std::function<UnixTime(UnixTime raw)> system;
};

class HardwareTimestamps {
 public:
  // `interfaces`: names, or "auto" for all that have it. What can't be had is logged and left out.
  HardwareTimestamps(const std::vector<std::string>& interfaces, RawMapping mapping,
                     sys::Logger& logger);

  // Whether sockets should ask for stamps of devices.
  bool any() const { return !devices_.empty(); }
  // When a datagram of `length` octets came, in system time; nothing when it can't be told.
  std::optional<ntp::MappedStamp> received(const sys::HardwareStamp& stamp, std::size_t length,
                                           IpFamily family);
  // When a datagram left, by the clock of the interface by which its answer came (0: not known).
  std::optional<ntp::MappedStamp> sent(UnixTime device, std::uint32_t interface);

 private:
  struct Device {
    sys::TimestampingDevice info;
    std::unique_ptr<refclock::Driver> driver;
    ntp::HardwareClock clock;
    std::optional<MonoTime> read;
  };

  void add(const std::string& interface, bool expected);
  Device* find(std::uint32_t interface);
  void read_clock(Device& device);
  std::optional<ntp::MappedStamp> map(Device& device, UnixTime stamp);

  RawMapping mapping_;
  sys::Logger& logger_;
  std::vector<Device> devices_;
};

}  // namespace timepool::ntpd
