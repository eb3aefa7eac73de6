#include "geo/database.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "geo/mmdb_writer.h"
#include "sys/temporary_directory.h"

namespace timepool::geo {
namespace {

class GeoDatabaseTest : public testing::Test {
 protected:
  std::string write(const std::string& bytes) const {
    const std::string path = directory_ + "/test.mmdb";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  GeoDatabase open(const MmdbWriter& writer) const {
    return GeoDatabase::open(write(writer.finish(1'750'000'000).value())).value();
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
};

Prefix block(const char* text) {
  return parse_prefix(text).value();
}
IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
MmdbMap maxmind_country(const char* code) {
  return MmdbMap().map("country", MmdbMap().text("iso_code", code));
}

TEST_F(GeoDatabaseTest, reads_regions_and_positions_of_city_databases) {
  const auto at = [](double latitude, double longitude) {
    return MmdbMap().real("latitude", latitude).real("longitude", longitude);
  };
  MmdbWriter writer("GeoLite2-City");
  writer.add(block("192.0.2.0/26"), maxmind_country("US")
                                        .list("subdivisions", {MmdbMap().text("iso_code", "CA"),
                                                               MmdbMap().text("iso_code", "X")})
                                        .map("location", at(37.25, -122.5)));
  writer.add(block("192.0.2.64/26"), at(-33.5, 151));
  writer.add(block("192.0.2.128/26"), MmdbMap().text("lat", "48.1").text("lng", "11.5"));
  writer.add(block("192.0.2.192/26"), maxmind_country("RU")
                                          .list("subdivisions", {MmdbMap().text("iso_code", "MOW")})
                                          .map("location", at(91, 0)));
  writer.add(block("198.51.100.0/24"), MmdbMap().text("lat", "rubbish").text("lng", "11.5"));
  const GeoDatabase db = open(writer);
  const GeoRecord us = db.lookup(ip("192.0.2.1"));
  EXPECT_EQ(us.country_text(), "us");
  EXPECT_EQ(us.region_text(), "ca");
  ASSERT_TRUE(us.has_position);
  EXPECT_EQ(us.latitude, 37.25);
  EXPECT_EQ(us.longitude, -122.5);
  EXPECT_EQ(db.lookup(ip("192.0.2.65")).latitude, -33.5);
  EXPECT_EQ(db.lookup(ip("192.0.2.65")).region_text(), "");
  EXPECT_EQ(db.lookup(ip("192.0.2.129")).longitude, 11.5);
  EXPECT_EQ(db.lookup(ip("192.0.2.193")).region_text(), "mow");
  EXPECT_FALSE(db.lookup(ip("192.0.2.193")).has_position);
  EXPECT_FALSE(db.lookup(ip("198.51.100.1")).has_position);
}

TEST_F(GeoDatabaseTest, reads_every_layout_of_record_in_use) {
  MmdbWriter writer("Test");
  writer.add(block("192.0.2.0/26"), maxmind_country("DE"));
  writer.add(block("192.0.2.64/26"), MmdbMap().text("country_code", "AU"));
  writer.add(block("192.0.2.128/26"), MmdbMap().text("country", "FR").text("asn", "AS64500"));
  writer.add(block("192.0.2.192/26"), MmdbMap().number("autonomous_system_number", 4200000000U));
  writer.add(block("198.51.100.0/24"),
             MmdbMap().map("registered_country", MmdbMap().text("iso_code", "nl")));
  writer.add(block("2001:db8::/32"), maxmind_country("JP"));
  const GeoDatabase db = open(writer);
  EXPECT_EQ(db.lookup(ip("192.0.2.1")).country_text(), "de");
  EXPECT_EQ(db.lookup(ip("192.0.2.65")).country_text(), "au");
  EXPECT_EQ(db.lookup(ip("192.0.2.129")).country_text(), "fr");
  EXPECT_EQ(db.lookup(ip("192.0.2.129")).asn, 64500U);
  EXPECT_EQ(db.lookup(ip("192.0.2.193")).asn, 4200000000U);
  EXPECT_FALSE(db.lookup(ip("192.0.2.193")).has_country());
  EXPECT_EQ(db.lookup(ip("198.51.100.7")).country_text(), "nl");
  EXPECT_EQ(db.lookup(ip("2001:db8::1")).country_text(), "jp");
  EXPECT_EQ(db.lookup(ip("203.0.113.1")), GeoRecord());
  EXPECT_EQ(db.lookup(ip("2001:db9::1")), GeoRecord());
  EXPECT_EQ(db.type(), "Test");
  EXPECT_EQ(db.build_epoch(), 1'750'000'000U);
}

TEST_F(GeoDatabaseTest, walk_gives_every_network_once_in_order) {
  MmdbWriter writer("Test");
  writer.add(block("10.0.0.0/8"), maxmind_country("DE"));
  writer.add(block("10.1.0.0/16"), maxmind_country("FR"));
  writer.add(block("192.0.2.1/32"), maxmind_country("US"));
  writer.add(block("2001:db8::/32"), maxmind_country("JP"));
  writer.add(block("2001:db8::1/128"), maxmind_country("NZ"));
  const GeoDatabase db = open(writer);
  std::uint64_t v4_addresses = 0;
  std::uint64_t last_end = 0;
  bool v6_seen = false;
  std::vector<std::string> tail;
  const auto done = db.walk([&](const GeoNetwork& network, const GeoRecord& record) {
    if (network.family == IpFamily::kV4) {
      EXPECT_FALSE(v6_seen);
      EXPECT_GE(network.low, last_end);
      last_end = network.low + (std::uint64_t{1} << (32 - network.length));
      v4_addresses += std::uint64_t{1} << (32 - network.length);
      const auto address = IpAddress::v4(static_cast<std::uint32_t>(network.low));
      EXPECT_EQ(db.lookup(address), record);
    } else {
      v6_seen = true;
      if (network.length == 128) tail.push_back(record.country_text());
    }
  });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(v4_addresses, (1U << 24) + 1);
  EXPECT_TRUE(v6_seen);
  EXPECT_EQ(tail, (std::vector<std::string>{"jp", "nz"}));
}

// As cp and scp do: a mapping of the file itself would end in SIGBUS.
TEST_F(GeoDatabaseTest, outlives_a_file_that_is_written_anew_in_place) {
  MmdbWriter writer("Test");
  writer.add(block("192.0.2.0/24"), maxmind_country("DE"));
  const GeoDatabase db = open(writer);
  std::filesystem::resize_file(directory_ + "/test.mmdb", 0);
  EXPECT_EQ(db.lookup(ip("192.0.2.1")).country_text(), "de");
  const auto empty = GeoDatabase::open(directory_ + "/test.mmdb");
  ASSERT_FALSE(empty.ok());
  EXPECT_NE(empty.error().text().find("the file is empty"), std::string::npos);
  EXPECT_NE(GeoDatabase::open(directory_).error().text().find("Is a directory"), std::string::npos);
}

TEST_F(GeoDatabaseTest, says_why_a_file_is_refused) {
  EXPECT_EQ(GeoDatabase::open(directory_ + "/none.mmdb").error().code, ErrorCode::kNotFound);
  const auto text = GeoDatabase::open(write("not a database at all"));
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(text.error().text().find("test.mmdb"), std::string::npos);
}

TEST_F(GeoDatabaseTest, a_damaged_tree_is_an_error_and_ends) {
  MmdbWriter writer("Test");
  writer.add(block("10.0.0.0/8"), maxmind_country("DE"));
  std::string bytes = writer.finish(1).value();
  // The root's right side leads back to the root.
  bytes[3] = bytes[4] = bytes[5] = '\0';
  const auto db = GeoDatabase::open(write(bytes));
  ASSERT_TRUE(db.ok());
  const auto done = db->walk([](const GeoNetwork&, const GeoRecord&) {});
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kCorrupt);
}

// The whole data set of the installation, where it is there: TIMEPOOL_GEOIP or the build's copy.
TEST_F(GeoDatabaseTest, walks_a_whole_country_database) {
  const char* set = std::getenv("TIMEPOOL_GEOIP");
  const std::string path =
      set != nullptr ? set : TIMEPOOL_SOURCE_DIR "/build/geoip/geo-whois-asn-country.mmdb";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no country database at " << path;
  const GeoDatabase db = GeoDatabase::open(path).value();
  std::size_t networks = 0;
  std::size_t wrong = 0;
  ASSERT_TRUE(db.walk([&](const GeoNetwork& network, const GeoRecord& record) {
                  // Every 997th: the look-up is the slow side.
                  if (++networks % 997 != 0 || network.family != IpFamily::kV4) return;
                  const auto at = IpAddress::v4(static_cast<std::uint32_t>(network.low));
                  wrong += !(db.lookup(at) == record);
                }).ok());
  EXPECT_GT(networks, 100'000U);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace timepool::geo
