#include "dnsd/geography.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/prng.h"
#include "geo/database.h"
#include "geo/mmdb_writer.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

class GeographyTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const geo::MmdbWriter& writer) const {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << writer.finish(1).value();
    return directory_ + "/" + name;
  }
  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
};

Prefix block(const char* text) {
  return parse_prefix(text).value();
}
geo::MmdbMap country(const char* code) {
  return geo::MmdbMap().text("country_code", code);
}

std::string country_at(const dns::GeoTable& table, const char* text) {
  const IpAddress address = parse_ip(text).value();
  const std::uint32_t bits = address.is_v4() ? table.country4.value_at(v4_key(address))
                                             : table.country6.value_at(v6_key(address));
  return dns::CountryCode::from_bits(static_cast<std::uint16_t>(bits)).text();
}

TEST_F(GeographyTest, first_file_and_overrides_win) {
  geo::MmdbWriter first("First");
  first.add(block("198.18.0.0/16"), country("DE"));
  first.add(block("2001:db8::/32"), country("JP"));
  geo::MmdbWriter second("Second");
  second.add(block("198.18.0.0/15"), country("US").number("autonomous_system_number", 64500));
  config::DnsdGeoipConfig config;
  config.files = {write("1.mmdb", first), write("2.mmdb", second)};
  config.overrides = {{block("198.18.7.0/24"), "fr"}};
  config.asn_overrides = {{block("198.19.7.0/24"), 64501}};
  const auto loaded = load_geography(config);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->files.size(), 2U);
  EXPECT_EQ(loaded->files[0].type, "First");
  EXPECT_EQ(loaded->files[0].networks, 2U);
  const dns::GeoTable& table = loaded->table;
  EXPECT_EQ(country_at(table, "198.18.0.1"), "de");
  EXPECT_EQ(country_at(table, "198.18.7.1"), "fr");
  EXPECT_EQ(country_at(table, "198.19.0.1"), "us");
  EXPECT_EQ(country_at(table, "198.20.0.0"), "");
  EXPECT_EQ(country_at(table, "198.17.255.255"), "");
  EXPECT_EQ(country_at(table, "2001:db8::1"), "jp");
  EXPECT_EQ(country_at(table, "2001:db9::1"), "");
  EXPECT_EQ(table.asn4.value_at(v4_key(parse_ip("198.18.7.1").value())), 64500U);
  EXPECT_EQ(table.asn4.value_at(v4_key(parse_ip("198.19.7.1").value())), 64501U);
}

TEST_F(GeographyTest, names_the_setting_of_a_file_that_is_not_there) {
  config::DnsdGeoipConfig config;
  config.files = {directory_ + "/none.mmdb"};
  const auto loaded = load_geography(config);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().text().find("[geoip] files"), std::string::npos);
}

// The whole data set of the installation, where it is there: TIMEPOOL_GEOIP or the build's copy.
TEST_F(GeographyTest, table_says_what_a_whole_database_says) {
  const char* set = std::getenv("TIMEPOOL_GEOIP");
  const std::string path =
      set != nullptr ? set : TIMEPOOL_SOURCE_DIR "/build/geoip/geo-whois-asn-country.mmdb";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no country database at " << path;
  config::DnsdGeoipConfig config;
  config.files = {path};
  const auto loaded = load_geography(config);
  ASSERT_TRUE(loaded.ok());
  const auto database = geo::GeoDatabase::open(path);
  ASSERT_TRUE(database.ok());
  constexpr std::uint64_t kSeed = 17;
  SCOPED_TRACE("seed 17");
  Prng prng(kSeed);
  for (int i = 0; i < 20'000; ++i) {
    const IpAddress v4 = IpAddress::v4(static_cast<std::uint32_t>(prng.next()));
    ASSERT_EQ(country_at(loaded->table, format(v4).c_str()), database->lookup(v4).country_text())
        << format(v4);
    const V6Key key =
        static_cast<V6Key>(0x2000'0000'0000'0000 | prng.next() >> 3) << 64 | prng.next();
    const IpAddress v6 = address_of(key);
    // 6to4 and Teredo repeat IPv4 in the file; the table leaves them out.
    if (block("2001::/32").contains(v6) || block("2002::/16").contains(v6)) continue;
    ASSERT_EQ(country_at(loaded->table, format(v6).c_str()), database->lookup(v6).country_text())
        << format(v6);
  }
}

}  // namespace
}  // namespace timepool::dnsd
