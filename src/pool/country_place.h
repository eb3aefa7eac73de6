// Where a country is, for "the nearest countries": one place each, in whole degrees. Enough to say
// who the neighbours are; distances between hosts it does not tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace timepool::pool {

struct Place {
  std::int16_t latitude = 0;   // degrees, north positive, -90 to 90
  std::int16_t longitude = 0;  // degrees, east positive, -180 to 180
  bool operator==(const Place&) const = default;
};

// `country` is an ISO 3166 alpha-2 code in lower case; nothing for one that is in no table.
std::optional<Place> place_of_country(std::string_view country);
// All that have one, in order.
std::vector<std::string_view> countries_with_a_place();

// Along the great circle (haversine), 0 to 20,015.
std::uint32_t distance_km(const Place& a, const Place& b);

}  // namespace timepool::pool
