// Driver: the device of one reference clock. The caller polls it at an even pace, and when its
// descriptor is readable; it gives readings in the system clock's time and a reason for each look
// that gave none. Nothing that a driver reads comes from a network.
//
// One thread. A driver that says kDeviceFailed is of no more use: open another.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/result.h"
#include "base/static_vector.h"
#include "ntp/refclock_reading.h"

namespace timepool::refclock {

// What one look gave. A socket may hold several datagrams; the rest comes at the next look.
inline constexpr std::size_t kMaxReadings = 16;

struct Look {
  ntp::RefclockReason reason = ntp::RefclockReason::kNothingNew;  // kAccepted: there is a reading
  ntp::RefclockReading reading;
};
using Looks = StaticVector<Look, kMaxReadings>;

class Driver {
 public:
  virtual ~Driver() = default;
  // Adds at least one look to `out`, which must be empty.
  virtual void poll(Looks& out) = 0;
  // Becomes readable when there is something to poll for; -1: nothing tells, poll by time.
  virtual int fd() const { return -1; }
};

// NTP's shared memory.
struct ShmOptions {
  unsigned unit = 0;
  // The most that the segment may permit: more is refused, since whoever can write to it sets our
  // clock. Also what a segment gets that is made here.
  unsigned permissions = 0600;
  // A segment may belong to root, to us, and to this one, if any.
  uid_t owner = 0;
  // No look at whose it is: in the simulator, whose segments are no real ones.
  bool simulated = false;
};

// chrony's Unix datagram socket.
struct SockOptions {
  std::string path;
  unsigned mode = 0600;  // of the socket file: who may write to it sets our clock
};

enum class PulseEdge : std::uint8_t { kAssert, kClear };

// The kernel's pulse-per-second API (RFC 2783).
struct PpsOptions {
  std::string device;  // "/dev/pps0"
  PulseEdge edge = PulseEdge::kAssert;
  // A pulse that is shorter is noise; zero: not looked at, and only one edge is captured.
  Duration min_width;
};

// A PTP hardware clock.
struct PhcOptions {
  std::string device;  // "/dev/ptp0"
  // How often both clocks are read in a look, where the device can't read both at once.
  unsigned samples = 10;
  // Pulses at an input of the device instead of the clock's own time.
  bool external = false;
  unsigned channel = 0;
  unsigned pin = 0;
  PulseEdge edge = PulseEdge::kAssert;
};

Result<std::unique_ptr<Driver>> open_shm(const ShmOptions& options);
Result<std::unique_ptr<Driver>> open_sock(const SockOptions& options);
Result<std::unique_ptr<Driver>> open_pps(const PpsOptions& options);
Result<std::unique_ptr<Driver>> open_phc(const PhcOptions& options);

}  // namespace timepool::refclock
