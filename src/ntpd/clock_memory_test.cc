#include "ntpd/clock_memory.h"

#include <gtest/gtest.h>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

ClockMemory full() {
  ClockMemory out;
  out.frequency_ppm = -12.25;
  out.frequency_error_ppm = 0.5;
  out.last_good = UnixTime::from_seconds(1'790'000'000);
  out.was_set = true;
  return out;
}

TEST(ClockMemory, what_is_written_is_read) {
  for (const ClockMemory& memory : {full(), ClockMemory{}}) {
    const auto read = parse_memory(format_memory(memory));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, memory);
  }
}

TEST(ClockMemory, damage_is_named) {
  for (const char* text :
       {"", "[]", "{", "{\"frequency_ppm\": \"1\"}", "{\"frequency_ppm\": 1e9}",
        "{\"frequency_error_ppm\": null}", "{\"last_good\": 5}", "{\"last_good\": \"never\"}"}) {
    const auto read = parse_memory(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(ClockMemory, B25_only_a_file_says_that_the_clock_was_set) {
  const sys::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/state/clock.json";
  const auto none = load_memory(path);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->was_set);
  ASSERT_TRUE(save_memory(path, full()).ok());
  const auto read = load_memory(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, full());
  ASSERT_TRUE(sys::write_file_atomic(path, "nonsense").ok());
  EXPECT_FALSE(load_memory(path).ok());
}

}  // namespace
}  // namespace timepool::ntpd
