#include "dnsd/zone_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "dnsd/health_directory.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"
#include "wire/dns/name.h"

namespace timepool::dnsd {
namespace {

namespace fs = std::filesystem;

class Directory : public ::testing::Test {
 protected:
  // As `mv` puts a file in place.
  void put(const std::string& name, const std::string& text) {
    EXPECT_TRUE(sys::write_file_atomic(path_ + "/" + name, text).ok());
  }
  // Without waiting for the disk.
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path_ + "/" + name) << text;
  }
  static std::string names(const ZoneDirectory& zones) {
    std::string out;
    for (const LoadedZone& zone : zones.zones()) {
      out += format(zone.zone->origin) + std::to_string(zone.zone->serial) + ' ';
    }
    return out;
  }
  static std::string master(int serial, const std::string& more = "") {
    return "@ 60 SOA ns h " + std::to_string(serial) + " 1 1 1 1\n NS ns\n" + more;
  }

  sys::TemporaryDirectory temporary_;
  const std::string& path_ = temporary_.path();
};

TEST_F(Directory, takes_both_formats_and_names_one_zone_in_two_files) {
  put("a.test.json", R"({"serial": 1})");
  put("B.test.zone", master(2));
  put(".hidden.json", "rubbish");
  put("notes.txt", "rubbish");
  ZoneDirectory zones(path_);
  EXPECT_TRUE(zones.scan()->changed);
  EXPECT_EQ(names(zones), "b.test.2 a.test.1 ");
  put("a.test.zone", master(3));
  const auto scan = zones.scan();
  ASSERT_EQ(scan->problems.size(), 1U);
  EXPECT_EQ(scan->problems[0], path_ + "/a.test.zone: its zone is that of a.test.json too");
  EXPECT_EQ(names(zones), "b.test.2 a.test.1 ");
  EXPECT_EQ(zones.problems().size(), 1U);
  fs::remove(path_ + "/a.test.json");
  EXPECT_TRUE(zones.scan()->changed);
  EXPECT_EQ(names(zones), "b.test.2 a.test.3 ");
  EXPECT_TRUE(zones.problems().empty());
}

TEST_F(Directory, a_master_file_is_read_when_it_changes_no_more) {
  put("a.test.zone", master(1));
  ZoneDirectory zones(path_);
  EXPECT_TRUE(zones.scan()->changed);
  // Whole by its syntax, and half by its content.
  put("a.test.zone", master(2));
  EXPECT_FALSE(zones.scan()->changed);
  put("a.test.zone", master(2, "x TXT y\n"));
  EXPECT_FALSE(zones.scan()->changed);
  EXPECT_EQ(names(zones), "a.test.1 ");
  EXPECT_TRUE(zones.scan()->changed);
  EXPECT_EQ(names(zones), "a.test.2 ");
  EXPECT_NE(zones.zones()[0].zone->find("x"), nullptr);
  EXPECT_FALSE(zones.scan()->changed);
}

TEST_F(Directory, a_half_written_or_wrong_file_leaves_its_zone) {
  put("a.test.json", R"({"serial": 1})");
  put("b.test.zone", master(1));
  ZoneDirectory zones(path_);
  EXPECT_TRUE(zones.scan()->changed);
  put("a.test.json", R"({"serial": 2, "da)");
  put("b.test.zone", master(2, "x TXT \"half\nof it"));
  (void)zones.scan();
  EXPECT_FALSE(zones.scan()->changed);
  EXPECT_EQ(names(zones), "a.test.1 b.test.1 ");
  ASSERT_EQ(zones.problems().size(), 2U);
  EXPECT_EQ(zones.problems()[1], path_ + "/b.test.zone:3:7: a quote is not closed on its line");
}

TEST_F(Directory, includes_only_what_lies_below_it_and_sees_it_change) {
  fs::create_directories(path_ + "/parts");
  put("parts/x.inc", "x TXT one\n");
  put("a.test.zone", master(1, "$INCLUDE parts/x.inc\n"));
  for (const std::string name : {"/etc/hostname", "../x", "parts/../../x", "link/hostname"}) {
    put("bad.test.zone", master(1, "$INCLUDE " + name + "\n"));
    fs::remove(path_ + "/link");
    fs::create_symlink("/etc", path_ + "/link");
    ZoneDirectory zones(path_);
    ASSERT_TRUE(zones.scan().ok());
    ASSERT_EQ(zones.problems().size(), 1U) << name;
    EXPECT_EQ(zones.problems()[0], path_ + "/bad.test.zone:3:10: '" + name +
                                       "' is not in the directory of the zone's file");
  }
  ZoneDirectory zones(path_);
  EXPECT_TRUE(zones.scan()->changed);
  put("parts/x.inc", "y TXT two\n");
  EXPECT_FALSE(zones.scan()->changed);
  EXPECT_TRUE(zones.scan()->changed);
  EXPECT_NE(zones.zones()[0].zone->find("y"), nullptr);
  put("parts/x.inc", "y TXT\n");
  (void)zones.scan();
  EXPECT_FALSE(zones.scan()->changed);
  EXPECT_EQ(zones.problems().front(), path_ + "/parts/x.inc:1:3: TXT: a text is missing");
}

TEST_F(Directory, a_scan_of_a_thousand_unchanged_zones_takes_little) {
  for (int i = 0; i < 1000; ++i) write("z" + std::to_string(i) + ".test.zone", master(1));
  ZoneDirectory zones(path_);
  ASSERT_EQ(zones.scan()->loaded.size(), 1000U);
  // Of several the fastest: others use the machine too.
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(zones.scan()->changed);
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - start);
  }
  RecordProperty("scan_us", static_cast<int>(best.count() / 1000));
  EXPECT_LT(best, std::chrono::milliseconds(100));
}

TEST_F(Directory, health_is_read_anew_and_rubbish_leaves_what_it_said) {
  put("web.json", R"({"192.0.2.1": 2})");
  HealthDirectory health(path_);
  EXPECT_TRUE(health.scan().changed);
  EXPECT_TRUE(dns::is_healthy("web/192.0.2.1", health.files()));
  EXPECT_FALSE(health.scan().changed);
  put("web.json", "rubbish");
  const auto scan = health.scan();
  EXPECT_FALSE(scan.changed);
  EXPECT_EQ(scan.problems.size(), 1U);
  EXPECT_TRUE(dns::is_healthy("web/192.0.2.1", health.files()));
  EXPECT_TRUE(health.scan().problems.empty());
  EXPECT_EQ(health.problems().size(), 1U);
  put("web.json", R"({"192.0.2.1": 1})");
  EXPECT_TRUE(health.scan().changed);
  EXPECT_FALSE(dns::is_healthy("web/192.0.2.1", health.files()));
  EXPECT_TRUE(health.problems().empty());
  fs::remove(path_ + "/web.json");
  EXPECT_TRUE(health.scan().changed);
  EXPECT_TRUE(health.files().empty());
}

}  // namespace
}  // namespace timepool::dnsd
