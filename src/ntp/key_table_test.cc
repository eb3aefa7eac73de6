#include "ntp/key_table.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/hex.h"

namespace timepool::ntp {
namespace {

KeyEntry only(std::string_view text) {
  const auto entries = parse_key_table(text);
  EXPECT_TRUE(entries.ok()) << text << ": " << describe(entries.error().error);
  if (!entries.ok() || entries->size() != 1) return {};
  return entries->front();
}

std::string secret(std::string_view text) {
  const KeyEntry entry = only(text);
  return std::string(reinterpret_cast<const char*>(entry.secret.data()), entry.secret.size());
}

KeyFileFault fault(std::string_view text) {
  const auto entries = parse_key_table(text);
  EXPECT_FALSE(entries.ok()) << text;
  return entries.ok() ? KeyFileFault{} : entries.error();
}

TEST(KeyTable, a_line_is_number_type_key_and_addresses) {
  const auto entries = parse_key_table(
      "# keys\n"
      "! chrony's other marks\n; of comments\n% too\n\n"
      "10 AES128 HEX:000102030405060708090a0b0c0d0e0f\n"
      "  4294967295\tsha512  ASCII:open-sesame 192.0.2.0/24,2001:db8::7  # who\n"
      "7 SHA256 swordfish\r\n");
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 3U);
  const KeyEntry& first = (*entries)[0];
  EXPECT_EQ(first.id, 10U);
  EXPECT_EQ(first.type, MacType::kAes128Cmac);
  EXPECT_EQ(to_hex(first.secret), "000102030405060708090a0b0c0d0e0f");
  EXPECT_TRUE(first.allowed.empty());
  EXPECT_EQ(first.line, 6U);
  const KeyEntry& second = (*entries)[1];
  EXPECT_EQ(second.id, 4294967295U);
  EXPECT_EQ(second.type, MacType::kSha512);
  EXPECT_EQ(second.allowed,
            (std::vector<Prefix>{*parse_prefix("192.0.2.0/24"), *parse_prefix("2001:db8::7")}));
  EXPECT_EQ((*entries)[2].secret.size(), 9U);
}

TEST(KeyTable, a_key_is_text_or_hexadecimal_as_in_other_programs) {
  EXPECT_EQ(secret("1 MD5 tulip"), "tulip");
  EXPECT_EQ(secret("1 SHA1 ASCII:68656c6c6f"), "68656c6c6f");
  EXPECT_EQ(secret("1 SHA1 HEX:68656c6c6f"), "hello");
  // ntpd: up to 20 characters are text, also when they look like digits.
  EXPECT_EQ(secret("1 SHA1 68656c6c6f"), "68656c6c6f");
  EXPECT_EQ(secret("1 SHA1 68656c6c6f68656c6c6f"), "68656c6c6f68656c6c6f");
  EXPECT_EQ(secret("1 SHA1 68656c6c6f68656c6c6f21"), "hellohello!");
  // chrony: anything that is not marked is text.
  EXPECT_EQ(secret("1 SHA1 correct-horse-battery-staple"), "correct-horse-battery-staple");
  EXPECT_EQ(secret("1 SHA1 pass#word"), "pass#word");
}

TEST(KeyTable, faults_have_a_name_and_a_line) {
  EXPECT_EQ(fault("\n0 SHA256 x"), (KeyFileFault{KeyFileError::kBadNumber, 2}));
  EXPECT_EQ(fault("4294967296 SHA256 x").error, KeyFileError::kBadNumber);
  EXPECT_EQ(fault("99999999999999999999999 SHA256 x").error, KeyFileError::kBadNumber);
  EXPECT_EQ(fault("-1 SHA256 x").error, KeyFileError::kBadNumber);
  EXPECT_EQ(fault("1").error, KeyFileError::kNoType);
  EXPECT_EQ(fault("1 tulip").error, KeyFileError::kBadType);
  EXPECT_EQ(fault("1 SHA3-256 tulip").error, KeyFileError::kBadType);
  EXPECT_EQ(fault("1 SHA256").error, KeyFileError::kNoKey);
  EXPECT_EQ(fault("1 SHA256 # comment").error, KeyFileError::kNoKey);
  EXPECT_EQ(fault("1 SHA256 HEX:0").error, KeyFileError::kBadHex);
  EXPECT_EQ(fault("1 SHA256 HEX:0g").error, KeyFileError::kBadHex);
  EXPECT_EQ(fault("1 SHA256 0123456789abcdef01234").error, KeyFileError::kBadHex);
  EXPECT_EQ(fault("1 SHA256 HEX:").error, KeyFileError::kEmptyKey);
  EXPECT_EQ(fault("1 SHA256 ASCII:").error, KeyFileError::kEmptyKey);
  EXPECT_EQ(fault("1 AES128 too-short").error, KeyFileError::kBadLength);
  EXPECT_EQ(fault("1 AES256 HEX:000102030405060708090a0b0c0d0e0f").error, KeyFileError::kBadLength);
  EXPECT_EQ(fault("1 SHA256 x 192.0.2.1/24").error, KeyFileError::kBadAddress);
  EXPECT_EQ(fault("1 SHA256 x 192.0.2.1,").error, KeyFileError::kBadAddress);
  EXPECT_EQ(fault("1 SHA256 x ,192.0.2.1").error, KeyFileError::kBadAddress);
  EXPECT_EQ(fault("1 SHA256 x localhost").error, KeyFileError::kBadAddress);
  EXPECT_EQ(fault("1 SHA256 x 192.0.2.1 y").error, KeyFileError::kTooManyWords);
  EXPECT_EQ(fault("1 SHA256 gr\xc3\xbcn").error, KeyFileError::kNotText);
  EXPECT_EQ(fault("1 SHA256 a\n2 SHA256 b\n3 SHA256 c\n2 SHA256 d\n1 SHA256 e\n"),
            (KeyFileFault{KeyFileError::kTwice, 4}));
}

TEST(KeyTable, its_limits_hold) {
  EXPECT_EQ(only("1 SHA256 ASCII:" + std::string(kMaxKeySize, 'k')).secret.size(), kMaxKeySize);
  EXPECT_EQ(fault("1 SHA256 ASCII:" + std::string(kMaxKeySize + 1, 'k')).error,
            KeyFileError::kKeyTooLong);
  EXPECT_EQ(fault("#" + std::string(kMaxKeyLine, ' ')).error, KeyFileError::kLineTooLong);
  EXPECT_EQ(fault(std::string(kMaxKeyFileSize + 1, '\n')).error, KeyFileError::kTooLong);
  std::string list = "1 SHA256 x 192.0.2.1";
  for (std::size_t i = 1; i < kMaxKeyPrefixes; ++i) list += ",192.0.2.1";
  EXPECT_EQ(only(list).allowed.size(), kMaxKeyPrefixes);
  EXPECT_EQ(fault(list + ",192.0.2.1").error, KeyFileError::kTooManyAddresses);
  std::string many;
  for (std::size_t i = 1; i <= kMaxKeys; ++i) many += std::to_string(i) + " SHA256 x\n";
  ASSERT_TRUE(parse_key_table(many).ok());
  EXPECT_EQ(parse_key_table(many)->size(), kMaxKeys);
  EXPECT_EQ(fault(many + "70000 SHA256 x\n"),
            (KeyFileFault{KeyFileError::kTooManyKeys, kMaxKeys + 1}));
}

TEST(KeyTable, a_comment_may_have_any_characters) {
  EXPECT_EQ(secret("1 SHA256 x # f\xc3\xbcr Anna\n# gr\xc3\xbcn\n"), "x");
}

TEST(KeyTable, each_fault_is_told_in_other_words) {
  std::set<std::string_view> words;
  for (std::size_t i = 0; i < kKeyFileErrorCount; ++i) {
    words.insert(describe(static_cast<KeyFileError>(i)));
  }
  EXPECT_EQ(words.size(), kKeyFileErrorCount);
}

}  // namespace
}  // namespace timepool::ntp
