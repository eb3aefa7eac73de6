#include "config/ntpd_nts_acme.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

using Read = Result<NtpdConfig, std::vector<Problem>>;
constexpr const char* kServed = "[server]\n[nts.server]\n";
constexpr const char* kLeast =
    "[server]\n[nts.server]\n[nts.acme]\ndirectory = \"https://ca.test/dir\"\nname = \"a.test\"\n";

Read read(const std::string& text) {
  return parse(ntpd_schema(), {{"ntpd.toml", text}});
}

std::string problems(const Read& config) {
  return config.ok() ? "ok" : format(config.error());
}

TEST(NtsAcmeConfig, reads_all_and_prints_the_same) {
  const auto config = read(
      std::string(kServed) +
      "[nts.acme]\nname = [\"a.test\", \"b.test\"]\ncontact = \"mailto:me@a.test\"\n"
      "agree_to_terms = true\nchallenge = [\"tls-alpn-01\", \"http-01\"]\n"
      "http_listen = [\"127.0.0.1:8080\"]\ntls_listen = [\"[::1]\"]\nhook_timeout = \"5s\"\n"
      "store = \"/var/lib/acme\"\nwait_for_clock = false\ndirectory = \"https://ca.test/dir\"\n"
      "[[nts.acme.authority]]\ndirectory = \"https://other.test\"\nca_file = \"/ca.pem\"\n"
      "profile = \"shortlived\"\nprofile_required = true\npreferred_chain = \"Root\"\n"
      "external_key_id = \"kid\"\nexternal_key_file = \"/key\"\nexternal_mac = \"HS512\"\n");
  ASSERT_TRUE(config.ok()) << problems(config);
  const NtsAcmeConfig& acme = *config->nts.acme;
  EXPECT_EQ(acme.names, (std::vector<std::string>{"a.test", "b.test"}));
  EXPECT_EQ(acme.contacts, (std::vector<std::string>{"mailto:me@a.test"}));
  EXPECT_EQ(acme.tls_listen.at(0).port, 443);
  const auto authorities = acme.all_authorities();
  ASSERT_EQ(authorities.size(), 2U);
  EXPECT_EQ(authorities[0].directory, "https://ca.test/dir");
  EXPECT_EQ(authorities[1].external_mac, AcmeMac::kHs512);
  const auto again = read(print_config(ntpd_schema(), *config));
  ASSERT_TRUE(again.ok()) << problems(again);
  EXPECT_EQ(*again, *config);
}

TEST(NtsAcmeConfig, an_authority_and_a_name_are_enough) {
  const auto config = read(kLeast);
  ASSERT_TRUE(config.ok()) << problems(config);
  EXPECT_TRUE(config->nts.acme->listens());
  EXPECT_TRUE(config->nts.acme->wait_for_clock);
  EXPECT_FALSE(config->nts.acme->agree_to_terms);
  EXPECT_TRUE(config->nts.acme->has(AcmeChallenge::kHttp01));
  EXPECT_FALSE(config->nts.acme->has(AcmeChallenge::kTlsAlpn01));
}

TEST(NtsAcmeConfig, what_does_not_go_together_is_refused) {
  const std::string least = kLeast;
  const struct {
    std::string text;
    const char* problem;
  } cases[] = {
      {std::string(kServed) + "[nts.acme]\nname = \"a.test\"\n", "the authority to ask is missing"},
      {std::string(kServed) + "[nts.acme]\ndirectory = \"https://ca.test\"\n",
       "name: one at least"},
      {std::string(kServed) + "[nts.acme]\ndirectory = \"http://ca.test\"\nname = \"a.test\"\n",
       "https://"},
      {least + "webroot = \"/www\"\nhook = \"/hook\"\n", "one of them"},
      {least + "webroot = \"/www\"\nchallenge = \"tls-alpn-01\"\n", "\"http-01\" only"},
      {least + "challenge = [\"http-01\", \"http-01\"]\n", "each once"},
      {least + "challenge = []\n", "one at least"},
      {least + "contact = \"me@a.test\"\n", "mailto:"},
      {least + "[[nts.acme.authority]]\ndirectory = \"https://ca.test/dir\"\n", "is there twice"},
      {least + "[[nts.acme.authority]]\ndirectory = \"https://b.test\"\nexternal_key_id = \"k\"\n",
       "both or neither"},
      {least + "[[nts.acme.authority]]\ndirectory = \"https://b.test\"\nprofile_required = true\n",
       "without profile"},
      {"[nts.acme]\ndirectory = \"https://ca.test\"\nname = \"a.test\"\n", "without [nts.server]"},
      {kServed, "one [[nts.server.certificate]] at least, or [nts.acme]"},
  };
  for (const auto& it : cases) {
    EXPECT_NE(problems(read(it.text)).find(it.problem), std::string::npos)
        << it.text << problems(read(it.text));
  }
}

}  // namespace
}  // namespace timepool::config
