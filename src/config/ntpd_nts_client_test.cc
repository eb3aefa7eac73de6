#include "config/ntpd_nts_client.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

Result<NtpdConfig, std::vector<Problem>> read(const std::string& text) {
  return parse(ntpd_schema(), {{"ntpd.toml", text}});
}

TEST(NtsClientConfig, reads_all_and_prints_the_same) {
  const auto config = read(
      "[nts.client]\nfile = \"/var/lib/timepool/s\"\nkey_lifetime = \"7d\"\ntimeout = \"10s\"\n"
      "unchecked_updates = 2\nunchecked_quorum = 4\n");
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_TRUE(config->nts.client);
  const NtsClientConfig& client = *config->nts.client;
  EXPECT_EQ(client.file, "/var/lib/timepool/s");
  EXPECT_EQ(client.key_lifetime, Duration::seconds(7 * 86'400));
  EXPECT_EQ(client.timeout, Duration::seconds(10));
  EXPECT_EQ(client.unchecked_updates, 2U);
  EXPECT_EQ(client.unchecked_quorum, 4U);
  const auto again = read(print_config(ntpd_schema(), *config));
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtsClientConfig, KEC9_dates_are_checked_unless_it_is_said_otherwise) {
  EXPECT_EQ(NtsClientConfig{}.unchecked_updates, 0U);
  EXPECT_EQ(NtsClientConfig{}.unchecked_quorum, 3U);
}

TEST(NtsClientConfig, values_out_of_bounds_are_refused) {
  for (const char* it : {"key_lifetime = \"59m\"", "key_lifetime = \"367d\"", "timeout = \"31s\"",
                         "unchecked_updates = -1", "unchecked_quorum = 0", "retries = 3"}) {
    EXPECT_FALSE(read(std::string("[nts.client]\n") + it + "\n").ok()) << it;
  }
}

}  // namespace
}  // namespace timepool::config
