#include "config/ntpd_nts_cookies.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

Result<NtpdConfig, std::vector<Problem>> read(const std::string& text) {
  return parse(ntpd_schema(), {{"ntpd.toml", text}});
}

TEST(NtsCookiesConfig, reads_all_and_prints_the_same) {
  const auto config = read(
      "[nts.cookies]\nfile = \"/var/lib/timepool/c\"\nrotation = \"1h\"\npast = 3\nshared = "
      "true\n");
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_TRUE(config->nts.cookies);
  EXPECT_EQ(config->nts.cookies->file, "/var/lib/timepool/c");
  EXPECT_EQ(config->nts.cookies->rotation, Duration::seconds(3600));
  EXPECT_EQ(config->nts.cookies->past, 3U);
  EXPECT_TRUE(config->nts.cookies->shared);
  const auto again = read(print_config(ntpd_schema(), *config));
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtsCookiesConfig, keys_are_wanted_where_cookies_or_key_establishment_are_configured) {
  NtpdNtsConfig config;
  EXPECT_FALSE(wanted_cookies(config));
  config.server.emplace();
  EXPECT_EQ(wanted_cookies(config), NtsCookiesConfig{});
  config.cookies.emplace().past = 2;
  EXPECT_EQ(wanted_cookies(config)->past, 2U);
  config.server.reset();
  EXPECT_EQ(wanted_cookies(config)->past, 2U);
}

TEST(NtsCookiesConfig, values_out_of_bounds_are_refused) {
  for (const char* it : {"rotation = \"9m\"", "rotation = \"400d\"", "rotation = \"601500ms\"",
                         "past = 17", "past = -1", "shared = 1", "keys = 3"}) {
    EXPECT_FALSE(read(std::string("[nts.cookies]\n") + it + "\n").ok()) << it;
  }
}

}  // namespace
}  // namespace timepool::config
