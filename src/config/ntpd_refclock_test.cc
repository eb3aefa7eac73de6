#include "config/ntpd_refclock.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

std::string problems_of(const std::string& text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", text}});
  return result.ok() ? "ok" : format(result.error());
}

bool refused(const std::string& text, const std::string& why) {
  return problems_of("[[refclock]]\n" + text).find(why) != std::string::npos;
}

constexpr const char* kFull = R"([[refclock]]
driver = "shm"
name = "NMEA"
refid = "GPS"
unit = 2
permissions = "0666"
owner = "gpsd"
dpoll = -1
poll = 5
filter = 32
min_samples = 8
max_samples = 32
stratum = 1
offset = "-150ms"
delay = "200ms"
precision = "1ms"
max_dispersion = "300ms"
tai = true
noselect = true

[[refclock]]
driver = "sock"
path = "/run/timepool/gps.sock"
permissions = "0660"
pulses = true
rate = 5
trust = true

[[refclock]]
driver = "pps"
path = "/dev/pps1"
edge = "clear"
min_width = "10us"
lock = "NMEA"
prefer = true
require = true

[[refclock]]
driver = "phc"
samples = 5
external = true
channel = 1
pin = 2
)";

TEST(NtpRefclockConfig, reads_every_setting_and_prints_the_same) {
  const auto config = parse(ntpd_schema(), {{"a", kFull}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_EQ(config->refclocks.size(), 4U);
  EXPECT_EQ(config->refclocks[0].effective_permissions(), 0666U);
  EXPECT_EQ(config->refclocks[0].offset, Duration::milliseconds(-150));
  EXPECT_EQ(config->refclocks[0].min_samples, 8);
  EXPECT_EQ(config->refclocks[0].max_samples, 32);
  EXPECT_EQ(config->refclocks[2].edge, RefclockEdge::kClear);
  const std::string printed = print_config(ntpd_schema(), *config);
  const auto again = parse(ntpd_schema(), {{"b", printed}});
  ASSERT_TRUE(again.ok()) << printed << format(again.error());
  EXPECT_EQ(again->refclocks, config->refclocks);
}

TEST(NtpRefclockConfig, what_is_left_out_comes_from_the_driver) {
  NtpRefclockConfig it;
  it.unit = 3;
  EXPECT_EQ(it.effective_name(), "SHM3");
  EXPECT_EQ(it.effective_refid(), "SHM3");
  EXPECT_EQ(it.effective_precision(), Duration::microseconds(1));
  EXPECT_EQ(it.effective_permissions(), 0600U);
  it.driver = RefclockDriver::kPps;
  EXPECT_EQ(it.effective_path(), "/dev/pps0");
  EXPECT_EQ(it.effective_name(), "PPS0");
  EXPECT_EQ(it.effective_precision(), Duration::nanoseconds(1));
  it.driver = RefclockDriver::kPhc;
  it.path = "/dev/ptp-ena";
  EXPECT_EQ(it.effective_name(), "PTP-ENA");
  EXPECT_EQ(it.effective_refid(), "PTP-");
}

TEST(NtpRefclockConfig, refuses_what_means_nothing) {
  EXPECT_TRUE(refused("unit = 1\n", "driver"));
  EXPECT_TRUE(refused("driver = \"gps\"\n", "\"gps\" is not one of"));
  EXPECT_TRUE(refused("driver = \"sock\"\n", "path is missing"));
  EXPECT_TRUE(refused("driver = \"shm\"\npath = \"/x\"\n", "path means nothing"));
  EXPECT_TRUE(refused("driver = \"shm\"\nedge = \"clear\"\n", "edge means nothing"));
  EXPECT_TRUE(refused("driver = \"pps\"\nowner = \"gpsd\"\n", "owner means nothing"));
  EXPECT_TRUE(refused("driver = \"pps\"\npermissions = \"0600\"\n", "permissions means nothing"));
  EXPECT_TRUE(refused("driver = \"pps\"\ntai = true\n", "tai means nothing"));
  EXPECT_TRUE(refused("driver = \"phc\"\nchannel = 1\n", "channel means nothing"));
  EXPECT_TRUE(refused("driver = \"phc\"\nmin_width = \"1us\"\n", "min_width means nothing"));
  EXPECT_TRUE(refused("driver = \"shm\"\nrate = 2\n", "rate means nothing"));
  EXPECT_TRUE(refused("driver = \"shm\"\npermissions = \"0999\"\n", "octal"));
  EXPECT_TRUE(refused("driver = \"shm\"\npermissions = \"01777\"\n", "octal"));
  EXPECT_TRUE(refused("driver = \"shm\"\ndpoll = 5\n", "dpoll is above poll"));
  EXPECT_TRUE(refused("driver = \"shm\"\nmin_samples = 9\nmax_samples = 8\n",
                      "min_samples is above max_samples"));
  EXPECT_TRUE(refused("driver = \"pps\"\nlock = \"PPS0\"\n", "lock names the clock itself"));
  EXPECT_TRUE(refused("driver = \"shm\"\nname = \"two words\"\n", "without spaces"));
  EXPECT_TRUE(refused("driver = \"shm\"\n[[refclock]]\ndriver = \"shm\"\n", "named \"SHM0\""));
}

TEST(NtpRefclockConfig, there_is_a_most) {
  std::string text;
  for (std::size_t i = 0; i <= kMaxRefclocks; ++i) {
    text += "[[refclock]]\ndriver = \"shm\"\nunit = " + std::to_string(i) + "\n";
  }
  EXPECT_NE(problems_of(text), "ok");
}

}  // namespace
}  // namespace timepool::config
