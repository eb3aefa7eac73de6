// The settings of one reference clock: [[refclock]] of timepool-ntpd.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

enum class RefclockDriver : unsigned char { kShm, kSock, kPps, kPhc };
enum class RefclockEdge : unsigned char { kAssert, kClear };

inline constexpr std::size_t kMaxRefclocks = 16;

struct NtpRefclockConfig {
  RefclockDriver driver = RefclockDriver::kShm;
  std::string name;   // empty: of driver and device
  std::string refid;  // empty: the name's first four characters
  // Where it is.
  unsigned unit = 0;                    // shm
  std::string path;                     // sock: the socket; pps, phc: the device
  std::optional<unsigned> permissions;  // shm, sock
  std::string owner;                    // shm
  RefclockEdge edge = RefclockEdge::kAssert;
  Duration min_width;     // pps
  unsigned samples = 10;  // phc
  bool external = false;  // phc
  unsigned channel = 0;
  unsigned pin = 0;
  // How often it is read and what is made of the readings.
  int dpoll = 0;
  int poll = 4;
  int filter = 64;
  int min_samples = 1;
  int max_samples = 128;
  bool pulses = false;
  int rate = 1;
  std::string lock;
  // What it is worth.
  int stratum = 0;
  Duration offset;
  Duration delay = Duration::nanoseconds(1);
  std::optional<Duration> precision;
  Duration max_dispersion;
  bool tai = false;
  bool prefer = false;
  bool trust = false;
  bool require = false;
  bool noselect = false;

  bool operator==(const NtpRefclockConfig&) const = default;

  // Those that are left out, as they are then.
  std::string effective_name() const;
  std::string effective_refid() const;
  std::string effective_path() const;
  unsigned effective_permissions() const { return permissions.value_or(0600); }
  Duration effective_precision() const;
};

Schema<NtpRefclockConfig> refclock_schema();
// What must hold between several of them; empty: nothing is wrong.
std::string check_refclocks(const std::vector<NtpRefclockConfig>& refclocks);

}  // namespace timepool::config
