// ClientLeap: what a simulated client is told of leap seconds, and what it is to do about them.
#pragma once

#include <optional>

#include "ntp/leap.h"
#include "sim/world.h"

namespace timepool::sim {

struct ClientLeap {
  ntp::LeapMode mode = ntp::LeapMode::kKernel;
  bool sources_smear = false;
  // Seconds of the leap by its leap file, at the moment of the world's; without: it has no file.
  std::optional<int> file;
  bool file_expired = false;
};

// The leap file that says so; empty: there is none. CHECKs that the world has a leap for it.
std::optional<ntp::LeapTable> leap_table(const ClientLeap& client, const World& world);

}  // namespace timepool::sim
