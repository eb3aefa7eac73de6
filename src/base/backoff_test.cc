#include "base/backoff.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

TEST(Backoff, doubles_to_the_limit_with_a_random_half) {
  Backoff backoff(Duration::seconds(1), Duration::seconds(10), 42);
  for (const std::int64_t full : {1, 2, 4, 8, 10, 10}) {
    const Duration wait = backoff.failed();
    EXPECT_GE(wait, Duration::milliseconds(full * 500));
    EXPECT_LE(wait, Duration::seconds(full));
  }
}

TEST(Backoff, starts_again_after_a_success) {
  Backoff backoff(Duration::seconds(1), Duration::seconds(10), 42);
  static_cast<void>(backoff.failed());
  static_cast<void>(backoff.failed());
  backoff.succeeded();
  EXPECT_LE(backoff.failed(), Duration::seconds(1));
}

TEST(Backoff, differs_between_seeds) {
  Backoff one(Duration::seconds(1), Duration::seconds(10), 1);
  Backoff two(Duration::seconds(1), Duration::seconds(10), 2);
  EXPECT_NE(one.failed(), two.failed());
}

}  // namespace
}  // namespace timepool
