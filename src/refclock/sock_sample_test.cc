#include "refclock/sock_sample.h"

#include <gtest/gtest.h>

#include <limits>

#include "refclock/testing.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;
using testing::NarrowSock;
using testing::octets_of;
using testing::WideSock;

RefclockReason reason_of(auto change) {
  WideSock sample;
  change(sample);
  return parse_sock_sample(octets_of(sample)).reason;
}

TEST(SockSample, gives_moment_offset_and_leap) {
  WideSock sample;
  sample.leap = 2;
  const Look look = parse_sock_sample(octets_of(sample));
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.local,
            UnixTime::from_seconds(1'790'000'000) + Duration::microseconds(123'456));
  EXPECT_EQ(look.reading.offset, Duration::milliseconds(-250));
  EXPECT_EQ(look.reading.leap, wire::ntp::Leap::kDelete);
  EXPECT_FALSE(look.reading.pulse);
}

TEST(SockSample, tells_a_pulse) {
  WideSock sample;
  sample.pulse = 1;
  EXPECT_TRUE(parse_sock_sample(octets_of(sample)).reading.pulse);
}

TEST(SockSample, takes_the_datagram_of_a_32_bit_program) {
  NarrowSock sample;
  sample.sec = -5;
  const Look look = parse_sock_sample(octets_of(sample));
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.local, UnixTime::from_seconds(-5) + Duration::microseconds(123'456));
  EXPECT_EQ(look.reading.offset, Duration::milliseconds(-250));
}

TEST(SockSample, refuses_every_other_length) {
  const std::vector<std::byte> whole(64);
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    if (length == kSockWideSize || length == kSockNarrowSize) continue;
    EXPECT_EQ(parse_sock_sample(Bytes(whole).first(length)).reason, RefclockReason::kWrongSize);
  }
}

TEST(SockSample, refuses_what_is_no_time) {
  using Limits = std::numeric_limits<double>;
  EXPECT_EQ(reason_of([](WideSock& it) { it.magic = 0; }), RefclockReason::kWrongMagic);
  EXPECT_EQ(reason_of([](WideSock& it) { it.magic = 0x4b434f53; }), RefclockReason::kWrongMagic);
  EXPECT_EQ(reason_of([](WideSock& it) { it.offset = Limits::quiet_NaN(); }),
            RefclockReason::kNotFinite);
  EXPECT_EQ(reason_of([](WideSock& it) { it.offset = -Limits::infinity(); }),
            RefclockReason::kNotFinite);
  EXPECT_EQ(reason_of([](WideSock& it) { it.offset = 1e300; }), RefclockReason::kTooLarge);
  EXPECT_EQ(reason_of([](WideSock& it) { it.offset = -2.2e9; }), RefclockReason::kTooLarge);
  EXPECT_EQ(reason_of([](WideSock& it) { it.usec = 1'000'000; }), RefclockReason::kBadField);
  EXPECT_EQ(reason_of([](WideSock& it) { it.usec = -1; }), RefclockReason::kBadField);
  EXPECT_EQ(reason_of([](WideSock& it) { it.sec = std::numeric_limits<std::int64_t>::min(); }),
            RefclockReason::kBadField);
  EXPECT_EQ(reason_of([](WideSock& it) { it.leap = 4; }), RefclockReason::kBadField);
  EXPECT_EQ(reason_of([](WideSock& it) { it.leap = 3; }), RefclockReason::kUnsynchronised);
}

}  // namespace
}  // namespace timepool::refclock
