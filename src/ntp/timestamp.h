// Where a packet's time of sending or receiving came from, and how well it is known.
#pragma once

#include <cstdint>

#include "base/duration.h"
#include "base/time.h"

namespace timepool::ntp {

enum class StampSource : std::uint8_t {
  kProgram,   // read by this program before sending or after receiving
  kKernel,    // by the kernel, near the driver
  kHardware,  // by the network device, on the wire
};

// A request's time of sending, in raw time.
struct TransmitStamp {
  UnixTime sent;
  StampSource source = StampSource::kKernel;
  Duration error = {};  // the most that it is off, beside the resolution of the local clock
};

// "program", "kernel", "hardware".
constexpr const char* name_of(StampSource source) {
  switch (source) {
    case StampSource::kKernel:
      return "kernel";
    case StampSource::kHardware:
      return "hardware";
    case StampSource::kProgram:
      break;
  }
  return "program";
}

}  // namespace timepool::ntp
