// Hardware timestamps of network devices: which devices can make them, telling them to, and what is
// needed to use them. Only ioctls and getifaddrs, which a network simulator also knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace timepool::sys {

struct TimestampingDevice {
  std::string name;         // "eth0"
  std::uint32_t index = 0;  // of the interface
  int clock = -1;           // /dev/ptpN
  bool receives = false;    // it stamps received NTP packets too, not only sent ones
  // Megabits per second; 0 when the device does not tell.
  std::uint32_t speed = 0;
};

// The names of the machine's network interfaces, each once, in the system's order.
std::vector<std::string> interface_names();

// Tells the device to stamp NTP packets, by all means that it has. Needs CAP_NET_ADMIN, unless it
// does already. Errors: kNotFound when there is no such interface, kInvalid when it has no
// timestamps or no clock.
Result<TimestampingDevice> enable_hardware_timestamps(const std::string& interface);

// How long a frame of `length` octets (without its checksum) is on a wire of `speed` Mbit/s, zero
// when that is not known. Devices stamp what they receive at its start, while software, and so the
// other side's clock, counts from its end.
Duration time_on_wire(std::uint32_t length, std::uint32_t speed);

}  // namespace timepool::sys
