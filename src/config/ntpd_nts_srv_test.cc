#include "config/ntpd_nts_srv.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

Result<NtpdConfig, std::vector<Problem>> read(const std::string& text) {
  return parse(ntpd_schema(), {{"ntpd.toml", text}});
}
Result<NtpdConfig, std::vector<Problem>> pool(const std::string& settings) {
  return read("[[pool]]\naddress = \"pool.test\"\n" + settings + "\n");
}

TEST(NtsSrvConfig, reads_all_and_prints_the_same) {
  const auto config = read(
      "[[sources.pool]]\naddress = \"pool.test\"\nnts = \"srv\"\nsrv_trust = \"dnssec-or-suffix\"\n"
      "srv_suffix = \"*.nts.{pool}\"\n[nts.srv]\ntrust_anchors = [\"/etc/anchor\"]\n"
      "servers = [\"127.0.0.1:5353\", \"::1\"]\n");
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_TRUE(config->nts.srv);
  EXPECT_EQ(config->nts.srv->trust_anchors, std::vector<std::string>{"/etc/anchor"});
  ASSERT_EQ(config->nts.srv->servers.size(), 2U);
  EXPECT_EQ(config->nts.srv->servers[1].port, 53);
  ASSERT_EQ(config->sources.pools.size(), 1U);
  EXPECT_EQ(config->sources.pools[0].nts, NtsUse::kSrv);
  EXPECT_EQ(config->sources.pools[0].srv_trust, SrvTrust::kDnssecOrSuffix);
  EXPECT_EQ(config->sources.pools[0].srv_suffix, "*.nts.{pool}");
  const auto again = read(print_config(ntpd_schema(), *config));
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtsSrvConfig, LC6_dnssec_is_what_is_asked_for_unless_it_is_said_otherwise) {
  EXPECT_EQ(NtpSourceConfig{}.srv_trust, SrvTrust::kDnssec);
  EXPECT_EQ(NtpSourceConfig{}.srv_suffix, "*.m.{pool}");
}

TEST(NtsSrvConfig, a_pool_may_be_ke_srv_or_auto) {
  EXPECT_EQ(pool("nts = \"ke\"")->sources.pools[0].nts, NtsUse::kRequire);
  EXPECT_EQ(pool("nts = \"require\"")->sources.pools[0].nts, NtsUse::kRequire);
  EXPECT_EQ(pool("nts = \"auto\"")->sources.pools[0].nts, NtsUse::kAuto);
}

TEST(NtsSrvConfig, what_makes_no_sense_is_refused) {
  EXPECT_FALSE(read("[[server]]\naddress = \"a.test\"\nnts = \"srv\"\n").ok());
  EXPECT_FALSE(pool("nts = \"srv\"\nnts_name = \"a.test\"").ok());
  EXPECT_FALSE(pool("nts = \"srv\"\nsrv_suffix = \"\"").ok());
  EXPECT_FALSE(pool("nts = \"srv\"\nkey = 3").ok());
  EXPECT_FALSE(pool("srv_trust = \"none\"").ok());
  EXPECT_FALSE(read("[nts.srv]\nfull_resolution = true\nservers = [\"127.0.0.1\"]\n").ok());
}

}  // namespace
}  // namespace timepool::config
