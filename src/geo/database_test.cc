#include "geo/database.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <maxminddb.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
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

std::string country_file() {
  MmdbWriter writer("Test");
  writer.add(block("0.0.0.0/1"), maxmind_country("DE"));
  return writer.finish(1).value();
}

// `bytes` with the first `old` in it, which must be there, replaced.
std::string replaced(std::string bytes, std::string_view old, std::string_view by) {
  const std::size_t at = bytes.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  return bytes.replace(at, old.size(), by);
}

// Of opening it or of walking it.
std::optional<ErrorCode> fault_of(const Result<GeoDatabase>& database) {
  if (!database.ok()) return database.error().code;
  const auto done = database->walk([](const GeoNetwork&, const GeoRecord&) {});
  return done.ok() ? std::nullopt : std::optional(done.error().code);
}

// libmaxminddb 1.7.1 calls itself for each level.
TEST_F(GeoDatabaseTest, a_record_nested_a_million_times_is_refused) {
  std::string record = "\xe2\x41z";
  for (int i = 0; i < 1'000'000; ++i) record += "\x01\x04";
  record += "\x40" + MmdbMap().text("country_code", "DE").encoded().substr(1);
  const auto db =
      GeoDatabase::open(write(replaced(country_file(), maxmind_country("DE").encoded(), record)));
  ASSERT_TRUE(db.ok());
  EXPECT_EQ(fault_of(db), ErrorCode::kCorrupt);
  EXPECT_EQ(db->lookup(ip("10.0.0.1")), GeoRecord());
}

// 0x2aaaaaab nodes of 6 octets are 2 modulo 2^32, as libmaxminddb 1.7.1 counts.
TEST_F(GeoDatabaseTest, a_tree_longer_than_its_file_is_refused) {
  std::string bytes = replaced(country_file(), "ip_version\xa1\x06", "ip_version\xa1\x04");
  bytes = replaced(bytes, "node_count\xc1\x61", "node_count\xc4\x2a\xaa\xaa\xab");
  bytes[0] = '\x50';
  EXPECT_EQ(fault_of(GeoDatabase::open(write(bytes))), ErrorCode::kCorrupt);
}

// The file fills its last page, behind which nothing may be read.
TEST_F(GeoDatabaseTest, metadata_without_an_octet_are_refused) {
  const std::string marker = "\xab\xcd\xefMaxMind.com";
  const std::string bytes = std::string(4096 - marker.size(), ' ') + marker;
  EXPECT_EQ(fault_of(GeoDatabase::open(write(bytes))), ErrorCode::kCorrupt);
}

// Pointers that lead round in a circle.
TEST_F(GeoDatabaseTest, a_record_that_holds_itself_is_refused) {
  const std::string record = std::string(
                                 "\xe1\x47"
                                 "country\x20",
                                 10) +
                             '\0';
  const std::string whole = maxmind_country("DE").encoded();
  const auto db = GeoDatabase::open(write(
      replaced(country_file(), whole, record + std::string(whole.size() - record.size(), 0))));
  ASSERT_TRUE(db.ok());
  EXPECT_EQ(fault_of(db), ErrorCode::kCorrupt);
  EXPECT_EQ(db->lookup(ip("10.0.0.1")), GeoRecord());
}

TEST_F(GeoDatabaseTest, a_file_cut_anywhere_is_refused_or_told_damaged) {
  const std::string bytes = country_file();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(fault_of(GeoDatabase::parse("cut", bytes.substr(0, size))), ErrorCode::kCorrupt)
        << size;
  }
  // A record may not go on in the metadata.
  const std::string longer = replaced(bytes,
                                      "\x42"
                                      "DE",
                                      "\x5d\x40"
                                      "E");
  EXPECT_EQ(fault_of(GeoDatabase::parse("longer", longer)), ErrorCode::kCorrupt);
}

// The country of `address` as libmaxminddb reads it, in capitals.
std::string country_by_library(MMDB_s& library, const std::string& address) {
  int bad_text = 0;
  int error = 0;
  MMDB_lookup_result_s found = MMDB_lookup_string(&library, address.c_str(), &bad_text, &error);
  if (bad_text != 0 || error != MMDB_SUCCESS || !found.found_entry) return "";
  MMDB_entry_data_s data{};
  if (MMDB_get_value(&found.entry, &data, "country_code", nullptr) != MMDB_SUCCESS) return "";
  return {data.utf8_string, data.data_size};
}

// The whole data set of the installation, where it is there: TIMEPOOL_GEOIP or the build's copy.
TEST_F(GeoDatabaseTest, walks_a_whole_country_database) {
  const char* set = std::getenv("TIMEPOOL_GEOIP");
  const std::string path =
      set != nullptr ? set : TIMEPOOL_SOURCE_DIR "/build/geoip/geo-whois-asn-country.mmdb";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no country database at " << path;
  const GeoDatabase db = GeoDatabase::open(path).value();
  MMDB_s library{};
  ASSERT_EQ(MMDB_open(path.c_str(), MMDB_MODE_MMAP, &library), MMDB_SUCCESS);
  std::size_t networks = 0;
  std::size_t wrong = 0;
  ASSERT_TRUE(db.walk([&](const GeoNetwork& network, const GeoRecord& record) {
                  // Every 997th: the look-up is the slow side.
                  if (++networks % 997 != 0 || network.family != IpFamily::kV4) return;
                  const auto at = IpAddress::v4(static_cast<std::uint32_t>(network.low));
                  wrong += !(db.lookup(at) == record);
                  std::string country = country_by_library(library, format(at));
                  for (char& c : country) c = static_cast<char>(c - 'A' + 'a');
                  wrong += country != record.country_text();
                }).ok());
  MMDB_close(&library);
  EXPECT_GT(networks, 100'000U);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace timepool::geo
