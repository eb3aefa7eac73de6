#include "sys/hardware_timestamping.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace timepool::sys {
namespace {

TEST(HardwareTimestamping, a_missing_interface_and_one_without_timestamps_are_told_apart) {
  EXPECT_EQ(enable_hardware_timestamps("none0").error().code, ErrorCode::kNotFound);
  const auto loopback = enable_hardware_timestamps("lo");
  ASSERT_FALSE(loopback.ok());
  EXPECT_EQ(loopback.error().code, ErrorCode::kInvalid);
  EXPECT_NE(loopback.error().text().find("lo"), std::string::npos);
  // A name that does not fit is that of no interface.
  EXPECT_FALSE(enable_hardware_timestamps(std::string(100, 'x')).ok());
}

TEST(HardwareTimestamping, interfaces_are_named_once) {
  std::vector<std::string> names = interface_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "lo"), names.end());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(HardwareTimestamping, a_frame_is_on_the_wire_for_its_bits_and_the_checksum) {
  EXPECT_EQ(time_on_wire(90, 1000), Duration::nanoseconds(752));
  EXPECT_EQ(time_on_wire(90, 100'000), Duration::nanoseconds(8));
  EXPECT_EQ(time_on_wire(90, 10), Duration::nanoseconds(75'200));
  EXPECT_EQ(time_on_wire(90, 0), Duration());
  EXPECT_EQ(time_on_wire(0, 1000), Duration());
}

}  // namespace
}  // namespace timepool::sys
