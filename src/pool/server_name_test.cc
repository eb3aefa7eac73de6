#include "pool/server_name.h"

#include <gtest/gtest.h>

#include <optional>

namespace timepool::pool {
namespace {

std::optional<NameFault> fault_of(const std::string& label) {
  const auto checked = check_label(label, {});
  return checked.ok() ? std::nullopt : std::optional(checked.error());
}
std::optional<NameFault> own_fault(const std::string& name) {
  const auto checked = check_own_name(name, "pool.test");
  return checked.ok() ? std::nullopt : std::optional(checked.error());
}

TEST(ServerName, labels_are_what_rfc_1123_calls_so_from_three_letters_on) {
  for (const char* label : {"alice", "bob-2", "a1b", "4you", "clock-of-carol", "zeitgeist"}) {
    EXPECT_EQ(fault_of(label), std::nullopt) << label;
  }
  EXPECT_EQ(fault_of(std::string(63, 'x')), std::nullopt);
  EXPECT_EQ(fault_of(std::string(64, 'x')), NameFault::kLength);
  EXPECT_EQ(fault_of(""), NameFault::kLength);
  EXPECT_EQ(fault_of("de"), NameFault::kLength) << "countries";
  for (const char* label : {"Alice", "al ice", "al_ice", "\xc3\xa4lice", "a\0b"}) {
    EXPECT_NE(fault_of(label), std::nullopt) << label;
  }
  EXPECT_EQ(fault_of("Alice"), NameFault::kCharacters);
  for (const char* label : {"-alice", "alice-", "xn--alice", "al--ice"}) {
    EXPECT_EQ(fault_of(label), NameFault::kHyphen) << label;
  }
  EXPECT_EQ(fault_of("ali--ce"), std::nullopt);
}

TEST(ServerName, reserved_words_are_nobodys) {
  for (const char* label :
       {"123", "0000", "europe", "north-america", "www", "www2", "mail", "ns1", "mx10", "ntp-3",
        "localhost", "wpad", "debian", "android", "timepool"}) {
    EXPECT_EQ(fault_of(label), NameFault::kReserved) << label;
  }
  for (const char* label : {"wwwx", "debian2", "ns1x", "nsa"}) {
    EXPECT_EQ(fault_of(label), std::nullopt) << label;
  }
  const std::vector<std::string> more{"acorn"};
  EXPECT_FALSE(check_label("acorn", more).ok());
  EXPECT_TRUE(check_label("acorn", {}).ok());
}

TEST(ServerName, lo3_whole_names_are_outside_the_pool) {
  for (const char* name : {"time.example.org", "a.b", "x-1.example", "notpool.test"}) {
    EXPECT_EQ(own_fault(name), std::nullopt) << name;
  }
  for (const char* name : {"pool.test", "a.m.pool.test", "x.pool.test"}) {
    EXPECT_EQ(own_fault(name), NameFault::kInside) << name;
  }
  EXPECT_EQ(own_fault("192.0.2.1"), NameFault::kNumericEnd);
  EXPECT_EQ(own_fault("a..b"), NameFault::kLength);
  EXPECT_EQ(own_fault("a.b."), NameFault::kLength);
  EXPECT_EQ(own_fault("A.b"), NameFault::kCharacters);
  EXPECT_EQ(own_fault("-a.b"), NameFault::kHyphen);
  std::string long_name;
  while (long_name.size() < 254) long_name += "abcdefgh.";
  EXPECT_EQ(own_fault(long_name + "x"), NameFault::kLength);
}

}  // namespace
}  // namespace timepool::pool
