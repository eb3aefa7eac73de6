// Smears: the known ways to spread a leap second over hours (RFC 8633 3.7.1), as what a server's
// clock shows less UTC.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/duration.h"
#include "ntp/leap_table.h"

namespace timepool::ntp {

enum class SmearShape : std::uint8_t { kLinear, kCosine };

struct Smear {
  std::string_view name;
  SmearShape shape;
  Duration begin;  // less the leap's moment
  Duration length;

  Duration end() const { return begin + length; }
};

// "linear, noon to noon", ...
std::span<const Smear> known_smears();

// The clock of a server that smears so less UTC, in seconds, `since` the moment of a leap second
// that is inserted (`leap_seconds` = 1) or deleted (-1). It jumps at the leap, as UTC does.
double smear_offset(const Smear& smear, Duration since, int leap_seconds);

}  // namespace timepool::ntp
