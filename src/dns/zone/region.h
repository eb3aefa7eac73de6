// Regions within countries (ISO 3166-2: "us-ca") and the groups of them that geodns' targeting
// knows: the west, middle and east of the United States and the federal districts of Russia.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "dns/zone/country.h"

namespace timepool::dns {

class RegionCode {
 public:
  // No region.
  constexpr RegionCode() = default;
  // "us-ca": a country's two letters and one to three letters or digits, in either case; anything
  // else is no region.
  static RegionCode from_text(std::string_view text);
  static RegionCode from_parts(CountryCode country, std::string_view subdivision);
  static constexpr RegionCode from_bits(std::uint32_t bits) { return RegionCode(bits); }

  constexpr bool known() const { return bits_ != 0; }
  // The country's bits above, three characters in base 37 below: a value to store in tables.
  constexpr std::uint32_t bits() const { return bits_; }
  CountryCode country() const {
    return CountryCode::from_bits(static_cast<std::uint16_t>(bits_ >> 16));
  }
  // "us-ca"; empty for none.
  std::string text() const;
  constexpr auto operator<=>(const RegionCode&) const = default;

 private:
  constexpr explicit RegionCode(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// An index into the table of groups; 0 is none.
using RegionGroup = std::uint8_t;

// 0 for another text.
RegionGroup region_group_named(std::string_view name);
// "us-west"; empty for 0.
std::string_view name_of_group(RegionGroup group);
// 0 for a region of no group.
RegionGroup group_of(RegionCode region);

}  // namespace timepool::dns
