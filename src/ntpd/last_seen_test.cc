#include "ntpd/last_seen.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace timepool::ntpd {
namespace {

TEST(LastSeen, tells_the_newest_note) {
  LastSeen last;
  EXPECT_FALSE(last.value());
  for (const char* text : {"192.0.2.7:123", "[2001:db8::5]:65535", "255.255.255.255:1"}) {
    Endpoint from = parse_endpoint(text).value();
    from.scope_id = 3;
    last.note(UnixTime::from_ns(-5'000'000'001), from);
    const auto value = last.value();
    ASSERT_TRUE(value);
    EXPECT_EQ(value->from, from);
    EXPECT_EQ(value->at, UnixTime::from_ns(-5'000'000'001));
  }
}

TEST(LastSeen, a_reader_never_sees_half_a_note) {
  LastSeen last;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint32_t i = 1; !stop; ++i) {
      last.note(UnixTime::from_ns(i), {IpAddress::v4(i), static_cast<std::uint16_t>(i), 0});
    }
  });
  int seen = 0;
  for (int i = 0; i < 200'000 || (seen < 100 && i < 20'000'000); ++i) {
    const auto value = last.value();
    if (!value) continue;
    ++seen;
    const auto number = static_cast<std::uint32_t>(value->at.ns());
    ASSERT_EQ(value->from.address.v4_bits(), number);
    ASSERT_EQ(value->from.port, static_cast<std::uint16_t>(number));
  }
  stop = true;
  writer.join();
  EXPECT_GE(seen, 100);
}

}  // namespace
}  // namespace timepool::ntpd
