#include "cli/ntp_cookie_seed.h"

#include <gtest/gtest.h>

#include "nts/key_chain.h"

namespace timepool::cli {
namespace {

const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

TEST(CookieSeed, is_a_file_of_keys_for_now) {
  const auto text = cookie_seed(std::nullopt, kNow);
  ASSERT_TRUE(text.ok());
  const auto chain = nts::KeyChain::parse(*text);
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->rotation(), Duration::seconds(86'400));
  EXPECT_EQ(chain->next_epoch(), parse_utc("2026-11-22T00:00:00Z").value());
  EXPECT_NE(*text, cookie_seed(std::nullopt, kNow).value());
  EXPECT_EQ(nts::KeyChain::parse(cookie_seed("1h", kNow).value())->rotation(),
            Duration::seconds(3600));
}

TEST(CookieSeed, rotations_have_bounds) {
  for (const char* it : {"9m", "367d", "601500ms", "soon", ""}) {
    EXPECT_FALSE(cookie_seed(it, kNow).ok()) << it;
  }
}

}  // namespace
}  // namespace timepool::cli
