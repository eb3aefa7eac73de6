// Country codes (ISO 3166-1 alpha-2) and the continents that the pool's zones are named for.
// Containment is the United Nations' M.49 with the seven continents of pool zone names
// ("north-america" is Northern America, Central America and the Caribbean), except where pool zone
// files have always had it otherwise: Cyprus and Turkey are in europe, Timor-Leste in oceania,
// Christmas Island, the Cocos Islands and the British Indian Ocean Territory in asia, and the
// uninhabited southern territories in antarctica.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace timepool::dns {

class CountryCode {
 public:
  // No country.
  constexpr CountryCode() = default;
  // Two ASCII letters in either case; anything else is no country.
  static constexpr CountryCode from_text(std::string_view text) {
    if (text.size() != 2) return {};
    std::uint16_t value = 0;
    for (const char c : text) {
      const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (lower < 'a' || lower > 'z') return {};
      value = static_cast<std::uint16_t>(value << 8 | static_cast<unsigned char>(lower));
    }
    return CountryCode(value);
  }
  static constexpr CountryCode from_bits(std::uint16_t bits) { return CountryCode(bits); }

  constexpr bool known() const { return bits_ != 0; }
  // Two lower-case letters, or 0: a value to store in tables.
  constexpr std::uint16_t bits() const { return bits_; }
  // "de"; empty for none.
  std::string text() const;
  constexpr auto operator<=>(const CountryCode&) const = default;

 private:
  constexpr explicit CountryCode(std::uint16_t bits) : bits_(bits) {}
  std::uint16_t bits_ = 0;
};

enum class Continent : std::uint8_t {
  kNone = 0,
  kAfrica,
  kAntarctica,
  kAsia,
  kEurope,
  kNorthAmerica,
  kOceania,
  kSouthAmerica,
};

inline constexpr std::array kContinents{
    Continent::kAfrica,       Continent::kAntarctica, Continent::kAsia,        Continent::kEurope,
    Continent::kNorthAmerica, Continent::kOceania,    Continent::kSouthAmerica};

// "north-america"; empty for kNone.
std::string_view name_of(Continent continent);
// kNone for another text.
Continent continent_named(std::string_view name);
// kNone for a code that is in no table (also for "no country").
Continent continent_of(CountryCode country);

// The pool's second name of a country, "uk" for "gb"; no country when it has only one.
CountryCode other_name(CountryCode country);

}  // namespace timepool::dns
