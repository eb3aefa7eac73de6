#include "dns/zone/position.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace timepool::dns {
namespace {

constexpr double kUnknownDistance = 360;
constexpr double kRadians = std::numbers::pi / 180;

}  // namespace

GeoPosition GeoPosition::from_degrees(double latitude, double longitude) {
  if (!(latitude >= -90 && latitude <= 90 && longitude >= -180 && longitude <= 180)) return {};
  const auto row = std::min(static_cast<std::uint32_t>((latitude + 90) * kPerDegree), kRows - 1);
  // 180 degrees east are 180 degrees west.
  const auto column = static_cast<std::uint32_t>((longitude + 180) * kPerDegree) % kColumns;
  return GeoPosition(row * kColumns + column + 1);
}

double GeoPosition::latitude() const {
  return ((bits_ - 1) / kColumns + 0.5) / kPerDegree - 90;
}

double GeoPosition::longitude() const {
  return ((bits_ - 1) % kColumns + 0.5) / kPerDegree - 180;
}

GeoPosition GeoPosition::in_cell(int degrees) const {
  if (!known()) return {};
  const auto size = static_cast<std::uint32_t>(degrees * kPerDegree);
  const std::uint32_t row = (bits_ - 1) / kColumns / size * size + size / 2;
  const std::uint32_t column = (bits_ - 1) % kColumns / size * size + size / 2;
  return GeoPosition(row * kColumns + column + 1);
}

UnitVector unit_vector(GeoPosition position) {
  if (!position.known()) return {};
  const double latitude = position.latitude() * kRadians;
  const double longitude = position.longitude() * kRadians;
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
          std::sin(latitude), true};
}

double distance_degrees(const UnitVector& a, const UnitVector& b) {
  if (!a.known || !b.known) return kUnknownDistance;
  // By the chord: exact for small angles too, where the cosine is flat.
  const double dx = a.x - b.x;
  const double dy = a.y - b.y;
  const double dz = a.z - b.z;
  const double half = std::sqrt(dx * dx + dy * dy + dz * dz) / 2;
  return 2 * std::asin(std::min(half, 1.0)) / kRadians;
}

std::vector<std::uint32_t> closest(const UnitVector& client, std::span<const UnitVector> servers,
                                   std::size_t least) {
  std::vector<std::pair<double, std::uint32_t>> by_distance;
  by_distance.reserve(servers.size());
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    by_distance.emplace_back(distance_degrees(client, servers[i]), i);
  }
  std::sort(by_distance.begin(), by_distance.end());
  std::vector<std::uint32_t> out;
  for (std::size_t at = 0; at < by_distance.size() && out.size() < least;) {
    const double limit = by_distance[at].first * 1.05;
    while (at < by_distance.size() && by_distance[at].first <= limit) {
      out.push_back(by_distance[at++].second);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace timepool::dns
