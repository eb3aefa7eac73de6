#include "config/ntpd_nts_server.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

constexpr const char* kCertificate =
    "[[nts.server.certificate]]\nchain = \"/etc/tls/chain.pem\"\nkey = \"/etc/tls/key.pem\"\n";

std::string problems_of(const std::string& settings, const std::string& more = "") {
  const auto result = parse(
      ntpd_schema(), {{"ntpd.toml", "[server]\n[nts.server]\n" + settings + kCertificate + more}});
  return result.ok() ? "ok" : format(result.error());
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(NtsServerConfig, reads_all_and_prints_the_same) {
  const auto config =
      parse(ntpd_schema(),
            {{"a", std::string("[server]\n[nts.server]\nlisten = [\"127.0.0.1\", \"[::1]:4461\"]\n"
                               "threads = 3\ndeadline = \"5s\"\naeads = [\"AES-SIV-CMAC-256\"]\n"
                               "[nts.server.limits]\nconnections = 10\nv4_24_rate = 7.5\n") +
                       kCertificate +
                       "[[nts.server.ntp_server]]\nname = \"time.example.org\"\nport = 124\n"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_TRUE(config->nts.server);
  const NtsServerConfig& server = *config->nts.server;
  EXPECT_EQ(server.listen.at(0).port, 4460);
  EXPECT_EQ(server.listen.at(1).port, 4461);
  EXPECT_EQ(server.certificates.at(0).key, "/etc/tls/key.pem");
  EXPECT_EQ(server.aeads, std::vector<AeadId>{AeadId::kAesSivCmac256});
  EXPECT_EQ(server.ntp_servers.at(0).port, 124);
  EXPECT_EQ(server.limits.connections, 10U);
  EXPECT_EQ(server.limits.v4_24_rate, 7.5);
  const auto again = parse(ntpd_schema(), {{"b", print_config(ntpd_schema(), *config)}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtsServerConfig, nobody_listens_without_the_table) {
  EXPECT_FALSE(NtpdConfig{}.nts.server);
}

TEST(NtsServerConfig, KES7_the_algorithm_that_everybody_has_stays) {
  EXPECT_EQ(problems_of("aeads = [\"AES-SIV-CMAC-256\", \"AES-128-GCM-SIV\"]\n"), "ok");
  EXPECT_TRUE(has(problems_of("aeads = [\"AES-128-GCM-SIV\"]\n"), "AES-SIV-CMAC-256 must be"));
  EXPECT_TRUE(has(problems_of("aeads = []\n"), "AES-SIV-CMAC-256 must be there"));
  EXPECT_TRUE(has(problems_of("aeads = [\"AES-SIV-CMAC-256\", \"AES-SIV-CMAC-256\"]\n"), "once"));
}

TEST(NtsServerConfig, refuses_what_makes_no_sense) {
  EXPECT_TRUE(has(problems_of("listen = [\"127.0.0.1:4460\", \"127.0.0.1\"]\n"), "twice"));
  EXPECT_NE(problems_of("deadline = \"1ms\"\n"), "ok");
  EXPECT_NE(problems_of("", "[[nts.server.certificate]]\nchain = \"a\"\n"), "ok");
  EXPECT_TRUE(has(problems_of("[nts.server.limits]\naddress_rate = 0.001\n"), "a day to fill"));
  const auto none = parse(ntpd_schema(), {{"a", "[server]\n[nts.server]\n"}});
  ASSERT_FALSE(none.ok());
  EXPECT_TRUE(has(format(none.error()), "one [[nts.server.certificate]] at least"));
}

TEST(NtsServerConfig, without_time_of_its_own_it_names_a_server) {
  const std::string alone = std::string("[nts.server]\n") + kCertificate;
  const auto lost = parse(ntpd_schema(), {{"a", alone}});
  ASSERT_FALSE(lost.ok());
  EXPECT_TRUE(has(format(lost.error()), "it needs an [[nts.server.ntp_server]]"));
  EXPECT_TRUE(
      parse(ntpd_schema(), {{"a", alone + "[[nts.server.ntp_server]]\nname = \"192.0.2.1\"\n"}})
          .ok());
}

}  // namespace
}  // namespace timepool::config
