#include "dnsd/zone_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "dns/compiled/explain.h"
#include "dns/signed_testing.h"
#include "geo/mmdb_writer.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

namespace fs = std::filesystem;
using wire::dns::RrType;

class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() {
    fs::create_directory(path_ + "/zones");
    fs::create_directory(path_ + "/health");
    config_.zones.directory = path_ + "/zones";
    config_.zones.health_directory = path_ + "/health";
    config_.geoip.files = {path_ + "/city.mmdb"};
  }

  void put(const std::string& name, const std::string& text) {
    EXPECT_TRUE(sys::write_file_atomic(path_ + "/" + name, text).ok());
  }
  // Clients of 198.18.0.0/16 are at the longitude, on the equator, in `region` of the US.
  void put_city(double longitude, const char* region) {
    geo::MmdbWriter writer("Test-City");
    const auto at = [](double degrees) {
      return geo::MmdbMap().real("latitude", 0.5).real("longitude", degrees);
    };
    const auto place = [&](const char* prefix, double degrees, const char* code) {
      writer.add(parse_prefix(prefix).value(),
                 geo::MmdbMap()
                     .map("country", geo::MmdbMap().text("iso_code", "US"))
                     .list("subdivisions", {geo::MmdbMap().text("iso_code", code)})
                     .map("location", at(degrees)));
    };
    place("198.18.0.0/16", longitude, region);
    place("192.0.2.1/32", 10.5, "NY");
    place("192.0.2.2/32", 100.5, "NY");
    put("city.mmdb", writer.finish(1'750'000'000).value());
  }
  std::unique_ptr<ZoneKeeper> keeper() {
    auto out = ZoneKeeper::create(config_, 1, logger_);
    EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().text());
    return std::move(out).value();
  }
  static dns::Explanation look(const ZoneKeeper& keeper, const char* name) {
    return dns::explain(*keeper.zones(), wire::dns::DnsName::from_text(name).value(), RrType::kA,
                        parse_ip("198.18.0.1").value());
  }

  sys::TemporaryDirectory temporary_;
  const std::string& path_ = temporary_.path();
  config::DnsdConfig config_;
  sys::Logger logger_{"test", sys::LogLevel::kError};
};

TEST_F(KeeperTest, a_geographic_file_is_taken_anew_and_rubbish_is_not) {
  put("zones/pool.test.json", R"({"targeting": "@ region", "data": {
    "": {"a": [["10.0.0.1"], ["10.0.0.2"], ["10.0.0.3"]], "max_hosts": 3},
    "us-ca": {"a": [["10.0.0.4"]]}, "us-ny": {"a": [["10.0.0.5"], ["10.0.0.6"]]}}})");
  put_city(20, "CA");
  const auto it = keeper();
  EXPECT_EQ(look(*it, "pool.test").label, "us-ca");
  put("city.mmdb", "rubbish");
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").label, "us-ca");
  ASSERT_EQ(it->report().problems.size(), 1U);
  EXPECT_NE(it->report().problems[0].find("not a MaxMind DB"), std::string::npos);
  put_city(20, "NY");
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").label, "us-ny");
  EXPECT_TRUE(it->report().problems.empty());
  fs::remove(path_ + "/city.mmdb");
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").label, "us-ny");
  EXPECT_EQ(it->report().problems.size(), 1U);
}

TEST_F(KeeperTest, the_closest_servers_follow_the_positions_of_a_city_database) {
  put("zones/pool.test.json", R"({"closest": true, "max_hosts": 1, "data": {
    "": {"a": [["192.0.2.1", 1], ["192.0.2.2", 1]]}}})");
  put_city(20, "CA");
  const auto it = keeper();
  const dns::Explanation near = look(*it, "pool.test");
  EXPECT_EQ(near.records, 1U);
  EXPECT_EQ(near.client.position, dns::GeoPosition::from_degrees(0.5, 20).in_cell(1));
  put_city(55.5, "CA");  // as far from both
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").records, 2U);
}

TEST_F(KeeperTest, health_changes_what_is_served) {
  config_.geoip.files.clear();
  put("zones/pool.test.json", R"({"data": {"": {"health": {"name": "web"},
    "a": [["192.0.2.1", 1], ["192.0.2.2", 1]]}}})");
  put("health/web.json", R"({"192.0.2.1": 2, "192.0.2.2": 2})");
  const auto it = keeper();
  EXPECT_EQ(look(*it, "pool.test").records, 2U);
  put("health/web.json", R"({"192.0.2.1": 2, "192.0.2.2": 1})");
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").records, 1U);
  put("health/web.json", "rubbish");
  it->scan();
  EXPECT_EQ(look(*it, "pool.test").records, 1U);
  EXPECT_EQ(it->report().problems.size(), 1U);
}

TEST_F(KeeperTest, tells_of_every_zone_first_and_then_of_those_that_changed) {
  config_.geoip.files.clear();
  config_.transfer.notify.push_back({Endpoint{parse_ip("127.0.0.1").value(), 53}, "", {}});
  put("zones/a.test.json", R"({"serial": 1})");
  put("zones/b.test.json", R"({"serial": 1})");
  const auto it = keeper();
  std::string told;
  it->tell_changes([&told](const auto& zones) {
    for (const auto& zone : zones)
      told += format(zone->origin) + std::to_string(zone->serial) + ' ';
  });
  EXPECT_EQ(told, "a.test.1 b.test.1 ");
  told.clear();
  put("zones/b.test.json", R"({"serial": 2})");
  it->scan();
  EXPECT_EQ(told, "b.test.2 ");
  told.clear();
  // Another text, and the same content.
  put("zones/b.test.json", R"({ "serial": 2 })");
  it->scan();
  EXPECT_EQ(told, "");
}

TEST_F(KeeperTest, a_zone_that_would_lead_in_a_circle_is_one_files_fault) {
  config_.geoip.files.clear();
  put("zones/a.test.json", R"({"serial": 1})");
  put("zones/b.test.json", R"({"data": {"x": {"alias": "y"}, "y.de": {"alias": "x"},
                                        "y": {"a": [["10.0.0.1"]]}}})");
  const auto it = keeper();
  EXPECT_EQ(it->report().zones.size(), 1U);
  ASSERT_EQ(it->report().problems.size(), 1U);
  EXPECT_NE(it->report().problems[0].find("b.test.json"), std::string::npos);
}

// What is answered from is older than the newest zones while those are being signed.
TEST_F(KeeperTest, documents_are_those_of_the_zones_that_are_answered_from) {
  config_.geoip.files.clear();
  put("zones/b.test.json", R"({"serial": 1, "data": {"": {"a": [["10.0.0.1"]]}}})");
  const auto it = keeper();
  SigningKeeper signing({}, logger_, [&](auto zones, auto made) {
    it->publish_signed(std::move(zones), std::move(made));
  });
  it->sign_with(signing);
  signing.take_keys(std::make_shared<dnssec::KeysByZone>(dns::testing::keys_for({"b.test"})));
  signing.settle();
  const auto serials = [&] {
    const ZoneKeeper::Answered now = it->now();
    EXPECT_EQ(now.documents->size(), now.serving.zones->zones().size());
    std::string out;
    for (std::size_t i = 0; i < now.documents->size(); ++i) {
      const dns::Zone& zone = *(*now.documents)[i].zone;
      EXPECT_EQ(format(zone.origin), format(now.serving.zones->zones()[i].origin));
      EXPECT_EQ(zone.serial, now.serving.zones->zones()[i].serial);
      out += format(zone.origin) + std::to_string(zone.serial) + ' ';
    }
    return out;
  };
  EXPECT_EQ(serials(), "b.test.1 ");
  put("zones/a.test.json", R"({"serial": 5})");
  put("zones/b.test.json", R"({"serial": 2})");
  it->scan();
  put("zones/b.test.json", R"({"serial": 3})");
  it->scan();
  EXPECT_EQ(it->zones()->zones().size(), 2U);
  EXPECT_EQ(serials(), "b.test.1 ");
  signing.settle();
  EXPECT_EQ(serials(), "a.test.5 b.test.3 ");
}

TEST_F(KeeperTest, a_zone_that_appears_is_served_when_it_is_signed_and_not_before) {
  config_.geoip.files.clear();
  config_.dnssec.directory = path_ + "/keys";
  config_.dnssec.zones.resize(1);
  config_.dnssec.zones[0].name = "*";
  const auto it = keeper();
  SigningKeeper signing({}, logger_, [&](auto zones, auto made) {
    it->publish_signed(std::move(zones), std::move(made));
  });
  it->sign_with(signing);
  auto keys = KeyKeeper::create(config_.dnssec, logger_,
                                [&](const KeyKeeper::Keys& told) { signing.take_keys(told); });
  ASSERT_TRUE(keys.ok());
  it->keys_by(**keys);
  signing.settle();
  put("zones/a.test.json", R"({"serial": 1})");
  it->scan();
  // Not there, and not there unsigned.
  EXPECT_TRUE(it->now().serving.zones->zones().empty());
  signing.settle();
  ZoneKeeper::Answered now = it->now();
  ASSERT_EQ(now.serving.zones->zones().size(), 1U);
  ASSERT_NE(now.serving.signed_zones, nullptr);
  EXPECT_NE(now.serving.signed_zones->zone(0), nullptr);
  // Its keys are there, and no others can be made.
  put("keys/b.test.state", "rubbish");
  put("zones/b.test.json", R"({"serial": 1})");
  it->scan();
  signing.settle();
  now = it->now();
  ASSERT_EQ(now.serving.zones->zones().size(), 2U);
  EXPECT_FALSE(now.serving.signed_zones->withholds(0));
  EXPECT_TRUE(now.serving.signed_zones->withholds(1));
}

}  // namespace
}  // namespace timepool::dnsd
