#include "dns/zone/country.h"

#include <gtest/gtest.h>

namespace timepool::dns {
namespace {

Continent of(std::string_view code) {
  return continent_of(CountryCode::from_text(code));
}

TEST(CountryCode, takes_two_letters_in_either_case) {
  EXPECT_EQ(CountryCode::from_text("DE"), CountryCode::from_text("de"));
  EXPECT_EQ(CountryCode::from_text("De").text(), "de");
  EXPECT_FALSE(CountryCode::from_text("d1").known());
  EXPECT_FALSE(CountryCode::from_text("deu").known());
  EXPECT_FALSE(CountryCode::from_text("").known());
  EXPECT_EQ(CountryCode().text(), "");
}

TEST(Continent, follows_m49_with_the_pools_exceptions) {
  EXPECT_EQ(of("de"), Continent::kEurope);
  EXPECT_EQ(of("US"), Continent::kNorthAmerica);
  EXPECT_EQ(of("mx"), Continent::kNorthAmerica);
  EXPECT_EQ(of("br"), Continent::kSouthAmerica);
  EXPECT_EQ(of("jp"), Continent::kAsia);
  EXPECT_EQ(of("nz"), Continent::kOceania);
  EXPECT_EQ(of("za"), Continent::kAfrica);
  EXPECT_EQ(of("aq"), Continent::kAntarctica);
  EXPECT_EQ(of("cy"), Continent::kEurope);
  EXPECT_EQ(of("tr"), Continent::kEurope);
  EXPECT_EQ(of("tl"), Continent::kOceania);
  EXPECT_EQ(of("zz"), Continent::kNone);
}

TEST(Continent, knows_every_assigned_code) {
  int known = 0;
  for (char a = 'a'; a <= 'z'; ++a) {
    for (char b = 'a'; b <= 'z'; ++b) {
      const std::string code{a, b};
      if (of(code) != Continent::kNone) ++known;
    }
  }
  // 249 codes of ISO 3166-1 and an, ap, eu, uk, xk.
  EXPECT_EQ(known, 254);
}

TEST(Continent, name_round_trips) {
  for (const Continent continent : kContinents) {
    EXPECT_EQ(continent_named(name_of(continent)), continent);
  }
  EXPECT_EQ(continent_named("atlantis"), Continent::kNone);
  EXPECT_EQ(continent_named(""), Continent::kNone);
}

TEST(CountryCode, gb_is_also_uk) {
  EXPECT_EQ(other_name(CountryCode::from_text("gb")).text(), "uk");
  EXPECT_EQ(other_name(CountryCode::from_text("uk")).text(), "gb");
  EXPECT_FALSE(other_name(CountryCode::from_text("de")).known());
}

}  // namespace
}  // namespace timepool::dns
