#include "config/ntpd_keys.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

std::string problems_of(std::string text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", std::move(text)}});
  return result.ok() ? "ok" : format(result.error());
}

TEST(NtpdKeysConfig, servers_and_pools_name_their_key) {
  const auto config = parse(ntpd_schema(), {{"a",
                                             "[keys]\nfile = \"/etc/timepool/ntp.keys\"\n"
                                             "allow_weak = true\n"
                                             "[[server]]\naddress = \"192.0.2.1\"\nkey = 10\n"
                                             "[[pool]]\naddress = \"p.example\"\n"
                                             "key = 4294967295\n"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  EXPECT_EQ(config->keys.file, "/etc/timepool/ntp.keys");
  EXPECT_TRUE(config->keys.allow_weak);
  EXPECT_EQ(config->sources.servers.front().key, 10U);
  EXPECT_EQ(config->sources.pools.front().key, 4294967295U);
  const auto again = parse(ntpd_schema(), {{"b", print_config(ntpd_schema(), *config)}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtpdKeysConfig, B19_weak_keys_are_not_allowed_by_default) {
  EXPECT_FALSE(NtpKeysConfig{}.allow_weak);
}

TEST(NtpdKeysConfig, a_source_with_a_key_needs_a_file_of_keys) {
  EXPECT_NE(problems_of("[[server]]\naddress = \"192.0.2.1\"\nkey = 10\n")
                .find("192.0.2.1 has a key, but [keys] names no file"),
            std::string::npos);
  EXPECT_NE(problems_of("[[server]]\naddress = \"192.0.2.1\"\nkey = 4294967296\n"), "ok");
  EXPECT_NE(problems_of("[[server]]\naddress = \"192.0.2.1\"\nkey = -1\n"), "ok");
  EXPECT_EQ(problems_of("[[server]]\naddress = \"192.0.2.1\"\nkey = 0\n"), "ok");
}

}  // namespace
}  // namespace timepool::config
