#include "refclock/shm_record.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "refclock/testing.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;
using testing::NarrowShmTime;
using testing::octets_of;
using testing::ShmTime;

Look parse(const ShmTime& record) {
  return parse_shm_record(octets_of(record), kShmWide);
}

TEST(ShmRecord, gives_the_difference_of_the_two_times) {
  ShmTime record;
  record.clock_usec = 500'000;
  record.clock_nsec = 500'000'123;
  record.leap = 1;
  const Look look = parse(record);
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.local,
            UnixTime::from_seconds(1'790'000'000) + Duration::milliseconds(250));
  EXPECT_EQ(look.reading.offset, Duration::nanoseconds(250'000'123));
  EXPECT_EQ(look.reading.leap, wire::ntp::Leap::kInsert);
  EXPECT_FALSE(look.reading.pulse);
}

TEST(ShmRecord, takes_microseconds_where_the_nanoseconds_do_not_go_with_them) {
  ShmTime record;
  record.clock_usec = 700'001;
  record.clock_nsec = 0;  // an old writer leaves it
  EXPECT_EQ(parse(record).reading.offset, Duration::nanoseconds(450'001'000));
}

TEST(ShmRecord, reads_the_record_of_a_32_bit_writer) {
  const Look look = parse_shm_record(octets_of(NarrowShmTime{}), kShmNarrow);
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.offset, Duration::milliseconds(-250));
}

TEST(ShmRecord, the_layout_is_told_by_the_size) {
  EXPECT_EQ(shm_layout_of(96), &kShmWide);
  EXPECT_EQ(shm_layout_of(4096), &kShmWide);
  EXPECT_EQ(shm_layout_of(80), &kShmNarrow);
  EXPECT_EQ(shm_layout_of(95), nullptr);
  EXPECT_EQ(shm_layout_of(0), nullptr);
}

TEST(ShmRecord, refuses_fields_outside_their_range) {
  const auto refused = [](auto change) {
    ShmTime record;
    change(record);
    EXPECT_EQ(parse(record).reason, RefclockReason::kBadField);
  };
  refused([](ShmTime& it) { it.mode = 2; });
  refused([](ShmTime& it) { it.mode = -1; });
  refused([](ShmTime& it) { it.leap = 4; });
  refused([](ShmTime& it) { it.leap = -1; });
  refused([](ShmTime& it) { it.clock_usec = 1'000'000; });
  refused([](ShmTime& it) { it.receive_usec = -1; });
  refused([](ShmTime& it) { it.clock_sec = std::numeric_limits<std::int64_t>::max(); });
  refused([](ShmTime& it) { it.receive_sec = std::numeric_limits<std::int64_t>::min(); });
}

TEST(ShmRecord, refuses_a_receiver_without_time_and_an_absurd_one) {
  ShmTime record;
  record.leap = 3;
  EXPECT_EQ(parse(record).reason, RefclockReason::kUnsynchronised);
  record.leap = 0;
  record.clock_sec = -5'000'000'000;
  EXPECT_EQ(parse(record).reason, RefclockReason::kTooLarge);
}

Look read(ShmTime& record) {
  return read_shm_segment(reinterpret_cast<std::byte*>(&record), kShmWide);
}

TEST(ShmRecord, takes_a_record_once) {
  ShmTime record;
  EXPECT_EQ(read(record).reason, RefclockReason::kAccepted);
  EXPECT_EQ(record.valid, 0);
  EXPECT_EQ(read(record).reason, RefclockReason::kNothingNew);
  record.valid = 1;
  record.mode = 7;
  EXPECT_EQ(read(record).reason, RefclockReason::kBadField);
  EXPECT_EQ(record.valid, 0);
}

// A writer that writes all the time: what is accepted is never half of one record and half of the
// next.
TEST(ShmRecord, a_record_that_is_being_written_is_never_taken) {
  ShmTime record;
  record.valid = 0;
  std::atomic<bool> stop = false;
  const auto put = [](auto& field, auto value) {
    std::atomic_ref(field).store(value, std::memory_order_release);
  };
  std::thread writer([&] {
    for (std::int32_t n = 1; !stop.load(); ++n) {
      put(record.valid, 0);
      std::atomic_ref(record.count).fetch_add(1);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      put(record.clock_sec, std::int64_t{1'790'000'000} + n);
      put(record.clock_usec, n % 1000);
      put(record.clock_nsec, static_cast<std::uint32_t>(n % 1000) * 1000);
      put(record.receive_sec, std::int64_t{1'790'000'000} + n);
      put(record.receive_usec, n % 1000 + 7);
      put(record.receive_nsec, static_cast<std::uint32_t>(n % 1000 + 7) * 1000);
      std::atomic_thread_fence(std::memory_order_seq_cst);
      std::atomic_ref(record.count).fetch_add(1);
      put(record.valid, 1);
      if (n % 4 == 0) std::this_thread::yield();
    }
  });
  int accepted = 0;
  bool whole = true;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (accepted < 500 && std::chrono::steady_clock::now() < give_up) {
    const Look look = read(record);
    if (look.reason == RefclockReason::kTorn || look.reason == RefclockReason::kNothingNew) {
      continue;
    }
    whole = whole && look.reason == RefclockReason::kAccepted &&
            look.reading.offset == Duration::microseconds(-7);
    ++accepted;
  }
  stop = true;
  writer.join();
  EXPECT_TRUE(whole);
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace timepool::refclock
