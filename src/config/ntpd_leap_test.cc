#include "config/ntpd_leap.h"

#include <gtest/gtest.h>

namespace timepool::config {
namespace {

std::string problems_of(std::string text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", std::move(text)}});
  return result.ok() ? "ok" : format(result.error());
}

constexpr const char* kMixed =
    "ntpd.toml: some sources are smeared and others are not: they never agree around a leap "
    "second (RFC 8633 3.7.1)";
constexpr const char* kFile =
    "ntpd.toml: leap_file and smeared sources: a client of smeared time applies no leap seconds "
    "(RFC 8633 3.7.1)";

TEST(NtpdLeapConfig, B12_leap_file_and_mode_are_read) {
  const auto config =
      parse(ntpd_schema(), {{"a",
                             "leap_file = \"/usr/share/zoneinfo/leap-seconds.list\"\n"
                             "leap_mode = \"slew\"\n"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  EXPECT_EQ(config->leap_mode, LeapMode::kSlew);
  EXPECT_FALSE(sources_smear(*config));
  EXPECT_EQ(problems_of("leap_mode = \"jump\"\n"),
            "ntpd.toml:1:13: leap_mode: \"jump\" is not one of \"kernel\", \"step\", \"slew\", "
            "\"ignore\"");
}

TEST(NtpdLeapConfig, B16_smeared_sources_and_a_leap_file_refuse_each_other) {
  EXPECT_EQ(problems_of("leap_file = \"/a\"\nsources_smear = true\n"), kFile);
  EXPECT_EQ(problems_of("leap_file = \"/a\"\n[[server]]\naddress = \"a\"\nsmeared = true\n"),
            kFile);
  EXPECT_EQ(problems_of("sources_smear = true\n[[server]]\naddress = \"a\"\n"), "ok");
}

TEST(NtpdLeapConfig, B17_smeared_and_other_sources_are_not_mixed) {
  const std::string smeared = "[[server]]\naddress = \"a\"\nsmeared = true\n";
  EXPECT_EQ(problems_of(smeared + "[[server]]\naddress = \"b\"\n"), kMixed);
  EXPECT_EQ(problems_of(smeared + "[[pool]]\naddress = \"b\"\n"), kMixed);
  EXPECT_EQ(problems_of(smeared + "[[pool]]\naddress = \"b\"\nsmeared = true\n"), "ok");
  const auto config = parse(ntpd_schema(), {{"a", smeared}});
  ASSERT_TRUE(config.ok());
  EXPECT_TRUE(sources_smear(*config));
}

}  // namespace
}  // namespace timepool::config
