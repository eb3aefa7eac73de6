#include "config/dnsd_transfer.h"

#include <gtest/gtest.h>

#include "config/dnsd.h"

namespace timepool::config {
namespace {

std::string problems_of(const std::string& text) {
  const auto parsed = parse(dnsd_schema(), {{"dnsd.toml", text}});
  return parsed.ok() ? "" : format(parsed.error());
}

// As `tsig-keygen` prints them.
const std::string kSecret = "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRzIGFuZCBtb3Jl";
const std::string kKey = "[[transfer.key]]\nname = \"k.example\"\nsecret = \"" + kSecret + "\"\n";

TEST(DnsdTransferConfig, prints_what_it_reads) {
  const std::string text = "[transfer]\njournal = \"/var/lib/x\"\n" + kKey +
                           "[[transfer.key]]\nname = \"other\"\nalgorithm = \"hmac-sha512\"\n"
                           "secret = \"" +
                           kSecret +
                           "\"\n"
                           "[[transfer.allow]]\nprefixes = [\"192.0.2.0/24\", \"2001:db8::/32\"]\n"
                           "key = \"k.example\"\nzones = [\"example.net\"]\n"
                           "[[transfer.notify]]\naddress = \"192.0.2.1\"\n"
                           "[[transfer.notify]]\naddress = \"[2001:db8::1]:5353\"\n"
                           "key = \"other\"\nzones = [\"a.example\", \"b.example\"]\n";
  const auto read = parse(dnsd_schema(), {{"dnsd.toml", text}});
  ASSERT_TRUE(read.ok()) << format(read.error());
  const DnsdTransferConfig& it = read->transfer;
  EXPECT_EQ(it.journal, "/var/lib/x");
  ASSERT_EQ(it.keys.size(), 2U);
  EXPECT_EQ(it.keys[0].algorithm, TsigAlgorithm::kHmacSha256);
  EXPECT_EQ(it.keys[1].algorithm, TsigAlgorithm::kHmacSha512);
  ASSERT_EQ(it.allow.size(), 1U);
  EXPECT_EQ(it.allow[0].prefixes.size(), 2U);
  ASSERT_EQ(it.notify.size(), 2U);
  EXPECT_EQ(it.notify[0].address.port, 53);
  EXPECT_EQ(it.notify[1].address.port, 5353);
  EXPECT_EQ(it.notify[1].zones.size(), 2U);
  const auto again =
      parse(dnsd_schema(), {{"printed.toml", print_config(dnsd_schema(), read.value())}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(again.value(), read.value());
}

TEST(DnsdTransferConfig, a_key_has_a_name_once_and_a_secret_that_is_one) {
  EXPECT_EQ(problems_of(kKey), "");
  EXPECT_NE(problems_of(kKey + kKey).find("\"k.example\" is there twice"), std::string::npos);
  const auto secret = [](const std::string& text) {
    return problems_of("[[transfer.key]]\nname = \"k\"\nsecret = \"" + text + "\"\n");
  };
  // 15 octets, and no base64.
  EXPECT_NE(secret("AAECAwQFBgcICQoLDA0O").find("16 octets or more in base64"), std::string::npos);
  EXPECT_EQ(secret("AAECAwQFBgcICQoLDA0ODw=="), "");
  EXPECT_NE(secret("no secret in base64!").find("16 octets or more in base64"), std::string::npos);
  EXPECT_NE(problems_of("[[transfer.key]]\nname = \"k\"\n"), "");
  EXPECT_NE(problems_of("[[transfer.key]]\nname = \"" + std::string(70, 'k') + "\"\nsecret = \"" +
                        kSecret + "\"\n"),
            "");
  EXPECT_NE(problems_of(kKey + "algorithm = \"hmac-md5\"\n"), "");
}

TEST(DnsdTransferConfig, rules_name_keys_that_there_are) {
  const std::string allow = "[[transfer.allow]]\nprefixes = [\"192.0.2.0/24\"]\n";
  const std::string notify = "[[transfer.notify]]\naddress = \"192.0.2.1\"\n";
  EXPECT_EQ(problems_of(allow + notify), "");
  EXPECT_EQ(problems_of(kKey + allow + "key = \"k.example\"\n" + notify + "key = \"k.example\"\n"),
            "");
  EXPECT_NE(problems_of(kKey + allow + "key = \"k\"\n").find("allow: there is no key \"k\""),
            std::string::npos);
  EXPECT_NE(problems_of(notify + "key = \"k\"\n").find("notify: there is no key \"k\""),
            std::string::npos);
  EXPECT_NE(problems_of("[[transfer.allow]]\nkey = \"\"\n"), "");
  EXPECT_NE(problems_of("[[transfer.allow]]\nprefixes = [\"192.0.2.1/24\"]\n"), "");
  EXPECT_NE(problems_of(allow + "zones = [\"a..b\"]\n"), "");
  EXPECT_NE(problems_of("[[transfer.notify]]\naddress = \"ns2.example\"\n"), "");
}

TEST(DnsdTransferConfig, signed_zones_that_others_copy_need_a_journal) {
  const std::string dnssec = "[dnssec]\ndirectory = \"/keys\"\n[[dnssec.zone]]\nname = \"*\"\n";
  const std::string allow = "[[transfer.allow]]\nprefixes = [\"192.0.2.0/24\"]\n";
  const std::string notify = "[[transfer.notify]]\naddress = \"192.0.2.1\"\n";
  EXPECT_EQ(problems_of(dnssec + kKey), "");
  for (const std::string& given : {allow, notify}) {
    EXPECT_NE(problems_of(dnssec + given).find("[transfer] journal: must be given"),
              std::string::npos);
    EXPECT_EQ(problems_of("[transfer]\njournal = \"/j\"\n" + dnssec + given), "");
  }
}

}  // namespace
}  // namespace timepool::config
