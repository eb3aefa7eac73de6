#include "dnsd/cookie_seed.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/hex.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);

CookieSeed seed(unsigned first) {
  CookieSeed out{};
  out[0] = static_cast<std::byte>(first);
  return out;
}
UnixTime at(std::int64_t seconds) {
  return UnixTime::from_seconds(seconds);
}

TEST(CookieSeed, servers_of_one_seed_have_the_same_secrets_in_each_epoch) {
  const auto now = cookie_secrets(seed(1), kDay, at(100 * 86'400 + 5));
  EXPECT_EQ(now.epoch, 100U);
  EXPECT_EQ(now.rotation, 86'400U);
  const auto later = cookie_secrets(seed(1), kDay, at(101 * 86'400 - 1));
  EXPECT_EQ(now.keys, later.keys);
  const auto next = cookie_secrets(seed(1), kDay, at(101 * 86'400));
  EXPECT_EQ(next.keys[0], now.keys[1]);
  EXPECT_EQ(next.keys[1], now.keys[2]);
  EXPECT_NE(next.keys[2], now.keys[2]);
  EXPECT_NE(cookie_secrets(seed(2), kDay, at(100 * 86'400)).keys[1], now.keys[1]);
}

TEST(CookieSeed, a_clock_at_its_zero_has_secrets_too) {
  EXPECT_EQ(cookie_secrets(seed(1), kDay, at(0)).epoch, 1U);
}

// Made with: printf 'timepool dns cookie secret\0\0\0\0\0\0\0\144' | openssl dgst -sha256 -mac HMAC
// -macopt hexkey:0100...00
TEST(CookieSeed, secrets_are_what_another_implementation_derives) {
  const auto now = cookie_secrets(seed(1), kDay, at(100 * 86'400));
  EXPECT_EQ(now.keys[1], siphash_key(from_hex("901181f7b4ea4464580821569864d8fb").value()));
}

class SeedFile : public ::testing::Test {
 protected:
  std::string path() const { return temporary_.path() + "/seed"; }
  Result<CookieSeed> read(const std::string& text, unsigned mode = 0600) const {
    std::ofstream(path()) << text;
    ::chmod(path().c_str(), mode);
    return read_cookie_seed(path());
  }

 private:
  sys::TemporaryDirectory temporary_;
};

TEST_F(SeedFile, is_64_digits_that_nobody_else_may_read) {
  const std::string digits = "01" + std::string(62, '0');
  EXPECT_EQ(read(digits + "\n").value(), seed(1));
  EXPECT_EQ(read(digits).value(), seed(1));
  EXPECT_EQ(read(digits + "00").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read(digits.substr(2)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read("x" + digits.substr(1)).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(read(digits, 0644).error().code, ErrorCode::kDenied);
  EXPECT_EQ(read_cookie_seed(path() + "-none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace timepool::dnsd
