#include "ntpd/key_keeper.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <vector>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

class KeyKeeperTest : public testing::Test {
 protected:
  KeyKeeperTest() {
    config_.file = temporary_.path() + "/keys";
    logger_.set_level(sys::LogLevel::kError);
  }
  Result<void> read(std::string_view text, mode_t mode = 0600) {
    EXPECT_TRUE(sys::write_file_atomic(config_.file, text, mode).ok());
    return keeper_.read(config_);
  }
  std::uint64_t generation(ntp::KeyId id) const {
    const ntp::SymmetricKey* key = keeper_.ring()->find(id);
    return key != nullptr ? key->generation() : 0;
  }

  sys::TemporaryDirectory temporary_;
  config::NtpKeysConfig config_;
  sys::Logger logger_{"test"};
  KeyKeeper keeper_{logger_};
};

TEST_F(KeyKeeperTest, without_a_file_there_is_no_ring) {
  config_.file.clear();
  EXPECT_TRUE(keeper_.read(config_).ok());
  EXPECT_EQ(keeper_.ring(), nullptr);
}

TEST_F(KeyKeeperTest, keys_sign_as_their_type_does) {
  ASSERT_TRUE(read("1 AES128 HEX:2b7e151628aed2a6abf7158809cf4f3c\n").ok());
  std::vector<std::byte> digest(16);
  ASSERT_TRUE(keeper_.ring()->sign(1, {}, digest));
  // RFC 4493 4, example 1.
  EXPECT_EQ(digest.front(), std::byte{0xbb});
  EXPECT_EQ(digest.back(), std::byte{0x46});
}

TEST_F(KeyKeeperTest, B18_a_file_that_others_can_read_is_refused) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0644U}) {
    const Result<void> read_it = read("1 SHA256 ASCII:a-key-of-its-own\n", mode);
    ASSERT_FALSE(read_it.ok()) << mode;
    EXPECT_EQ(read_it.error().code, ErrorCode::kDenied);
  }
  EXPECT_EQ(keeper_.ring(), nullptr);
  EXPECT_TRUE(read("1 SHA256 ASCII:a-key-of-its-own\n", 0400).ok());
}

TEST_F(KeyKeeperTest, B19_weak_keys_are_left_out_unless_they_are_allowed) {
  const std::string text = "1 MD5 tulip-and-rose\n2 SHA1 tulip-and-rose\n3 SHA256 tulip-and-rose\n";
  ASSERT_TRUE(read(text).ok());
  EXPECT_EQ(generation(1), 0U);
  EXPECT_EQ(generation(2), 0U);
  EXPECT_NE(generation(3), 0U);
  config_.allow_weak = true;
  ASSERT_TRUE(read(text).ok());
  EXPECT_NE(generation(1), 0U);
  EXPECT_NE(generation(2), 0U);
}

TEST_F(KeyKeeperTest, a_fault_names_file_and_line_and_the_old_ring_stays) {
  ASSERT_TRUE(read("1 SHA256 ASCII:a-key-of-its-own\n").ok());
  const auto before = keeper_.ring();
  const Result<void> bad = read("# two\n2 AES128 HEX:00\n");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().text(), config_.file +
                                    ":2: a key of AES128 has 16 octets and one of AES256 has 32: "
                                    "HEX: and 32 or 64 digits");
  EXPECT_EQ(keeper_.ring(), before);
}

TEST_F(KeyKeeperTest, only_a_key_that_changed_is_another) {
  ASSERT_TRUE(read("1 SHA256 ASCII:a-key-of-its-own\n2 SHA256 ASCII:another-of-these\n").ok());
  const std::uint64_t first = generation(1);
  const std::uint64_t second = generation(2);
  EXPECT_NE(first, second);
  // Another secret, another line, a comment.
  ASSERT_TRUE(
      read("# new\n2 SHA256 ASCII:quite-another\n1 SHA256 ASCII:a-key-of-its-own #\n").ok());
  EXPECT_EQ(generation(1), first);
  EXPECT_NE(generation(2), second);
  // Another type, another list of addresses.
  ASSERT_TRUE(read("1 SHA512 ASCII:a-key-of-its-own\n2 SHA256 ASCII:quite-another ::1\n").ok());
  EXPECT_NE(generation(1), first);
  const std::uint64_t third = generation(2);
  // Gone and back: nobody knows what was in between.
  ASSERT_TRUE(read("1 SHA512 ASCII:a-key-of-its-own\n").ok());
  ASSERT_TRUE(read("2 SHA256 ASCII:quite-another ::1\n").ok());
  EXPECT_NE(generation(2), third);
  EXPECT_NE(generation(2), 0U);
}

}  // namespace
}  // namespace timepool::ntpd
