#include "monitord/sanity.h"

#include <gtest/gtest.h>

namespace timepool::monitord {
namespace {

Sample sample(double offset, double rtt, int leap = 0) {
  Sample out;
  out.offset = offset;
  out.rtt = rtt;
  out.leap = leap;
  return out;
}

Sample timeout() {
  Sample out;
  out.error = "timeout";
  return out;
}

constexpr Duration kLimit = Duration::milliseconds(10);

TEST(Sanity, a_server_agrees_by_its_sample_of_least_round_trip) {
  EXPECT_TRUE(agrees({sample(0.5, 1.0), sample(-0.009, 0.02), timeout()}, kLimit));
  EXPECT_FALSE(agrees({sample(0.001, 1.0), sample(0.011, 0.02)}, kLimit));
  EXPECT_FALSE(agrees({sample(0.0, 0.02, 3)}, kLimit)) << "not synchronised";
  EXPECT_FALSE(agrees({timeout()}, kLimit));
  EXPECT_FALSE(agrees({}, kLimit));
}

TEST(Sanity, allows_as_many_failures_as_the_count_of_servers_admits) {
  const int allowed[] = {0, 0, 0, 1, 1, 2, 2, 3, 3};
  for (std::size_t n = 1; n <= 8; ++n) {
    for (std::size_t failing = 0; failing <= n; ++failing) {
      std::vector<bool> agreeing(n, true);
      for (std::size_t i = 0; i < failing; ++i) agreeing[i] = false;
      EXPECT_EQ(judge_servers(agreeing, kLimit).sane, static_cast<int>(failing) <= allowed[n])
          << n << " servers, " << failing << " failing";
    }
  }
  EXPECT_FALSE(judge_servers({}, kLimit).sane);
}

TEST(Sanity, takes_the_kernel_at_its_word) {
  EXPECT_TRUE(judge_kernel(true, Duration::milliseconds(30), kLimit).sane);
  EXPECT_FALSE(judge_kernel(true, Duration::seconds(16), kLimit).sane);
  EXPECT_FALSE(judge_kernel(false, Duration(), kLimit).sane);
}

}  // namespace
}  // namespace timepool::monitord
