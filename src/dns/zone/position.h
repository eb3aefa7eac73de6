// Places on the earth to a tenth of a degree (11 km), and which servers are near one.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace timepool::dns {

class GeoPosition {
 public:
  static constexpr int kPerDegree = 10;

  // No position.
  constexpr GeoPosition() = default;
  // Latitude -90 to 90, longitude -180 to 180, both in degrees; anything else is no position.
  static GeoPosition from_degrees(double latitude, double longitude);
  static constexpr GeoPosition from_bits(std::uint32_t bits) { return GeoPosition(bits); }

  constexpr bool known() const { return bits_ != 0; }
  // A value to store in tables.
  constexpr std::uint32_t bits() const { return bits_; }
  // The middle of its cell.
  double latitude() const;
  double longitude() const;
  // The middle of the cell of `degrees` by `degrees` that it lies in; 180 must be a multiple.
  GeoPosition in_cell(int degrees) const;
  constexpr auto operator<=>(const GeoPosition&) const = default;

 private:
  static constexpr std::uint32_t kColumns = 360 * kPerDegree;
  static constexpr std::uint32_t kRows = 180 * kPerDegree;
  constexpr explicit GeoPosition(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;  // row * kColumns + column + 1, from the south-west
};

// A position as a vector of length 1, for many distances.
struct UnitVector {
  double x = 0, y = 0, z = 0;
  bool known = false;
};
UnitVector unit_vector(GeoPosition position);

// The angle between two places seen from the earth's centre, in degrees; 360 where one of them is
// not known, which is farther than any.
double distance_degrees(const UnitVector& a, const UnitVector& b);

// geodns' choice: the nearest servers and all that are at most 5 % farther, then again so among the
// rest, until there are `least` or none is left. Indexes into `servers`, ascending.
std::vector<std::uint32_t> closest(const UnitVector& client, std::span<const UnitVector> servers,
                                   std::size_t least);

}  // namespace timepool::dns
