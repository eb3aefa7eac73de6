#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace timepool {
namespace {

enum class Bad : unsigned char { kShort, kLong };

Result<int, Bad> half(int value) {
  if (value % 2 != 0) return fail(Bad::kShort);
  return value / 2;
}
Result<int, Bad> quarter(int value) {
  return half(TRY(half(value)));
}
Result<void, Bad> check_even(int value) {
  static_cast<void>(TRY(half(value)));
  return {};
}
Result<int, Bad> after_check(int value) {
  TRY(check_even(value));
  return value;
}

TEST(Result, holds_a_value_or_an_error) {
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_EQ(half(3).error(), Bad::kShort);
  EXPECT_EQ(half(3).value_or(7), 7);
}

TEST(Result, try_returns_the_error_of_the_inner_call) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error(), Bad::kShort);
  EXPECT_EQ(*after_check(2), 2);
  EXPECT_FALSE(after_check(1).ok());
}

TEST(Result, holds_values_that_only_move) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
}

TEST(ResultDeathTest, value_of_an_error_stops_the_program) {
  EXPECT_DEATH(static_cast<void>(half(1).value()), "CHECK failed");
  EXPECT_DEATH(static_cast<void>(half(2).error()), "CHECK failed");
}

TEST(Error, text_names_operation_and_cause) {
  EXPECT_EQ((Error{ErrorCode::kInvalid, "parse x", "too short"}).text(), "parse x: too short");
  const Error error = system_error(EADDRINUSE, "bind 127.0.0.1:123");
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_EQ(error.text(), "bind 127.0.0.1:123: Address already in use");
  EXPECT_EQ(name_of(system_error(ENOSPC, "write").code), "exhausted");
}

}  // namespace
}  // namespace timepool
