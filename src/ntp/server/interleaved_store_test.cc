#include "ntp/server/interleaved_store.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/ntp/header.h"

namespace timepool::ntp {
namespace {

using Octets = std::array<std::byte, wire::ntp::kHeaderSize>;

NtpTimestamp stamp(std::uint64_t bits) {
  return NtpTimestamp::from_bits(bits);
}

Octets packet(std::uint64_t origin, std::uint64_t receive, std::uint64_t transmit) {
  wire::ntp::Header header;
  header.origin = stamp(origin);
  header.receive = stamp(receive);
  header.transmit = stamp(transmit);
  Octets out{};
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

wire::ntp::Header header_of(const Octets& octets) {
  ByteReader reader(octets);
  return wire::ntp::read_header(reader);
}

TEST(InterleavedStore, RFC9769_answers_with_the_true_time_of_the_reply_before) {
  InterleavedStore store(16);
  store.sent(stamp(100), stamp(107));
  Octets reply = packet(31, 200, 0);
  ASSERT_TRUE(store.answer(packet(100, 30, 31), reply));
  EXPECT_EQ(header_of(reply).origin, stamp(30));
  EXPECT_EQ(header_of(reply).receive, stamp(200));
  EXPECT_EQ(header_of(reply).transmit, stamp(107));
}

TEST(InterleavedStore, a_basic_request_and_an_unknown_one_get_a_basic_reply) {
  InterleavedStore store(16);
  store.sent(stamp(100), stamp(107));
  for (const Octets& request : {packet(0, 30, 31), packet(101, 30, 31), packet(100, 31, 31),
                                packet(100, 0, 31), packet(0, 0, 31)}) {
    Octets reply = packet(31, 200, 0);
    const Octets before = reply;
    EXPECT_FALSE(store.answer(request, reply));
    EXPECT_EQ(reply, before);
  }
}

TEST(InterleavedStore, two_replies_of_the_same_receive_timestamp_are_both_forgotten) {
  InterleavedStore store(16);
  store.sent(stamp(100), stamp(107));
  store.sent(stamp(100), stamp(109));
  Octets reply = packet(31, 200, 0);
  EXPECT_FALSE(store.answer(packet(100, 30, 31), reply));
}

TEST(InterleavedStore, a_time_that_becomes_known_later_replaces_the_first_while_it_is_remembered) {
  InterleavedStore store(1);
  store.sent(stamp(100), stamp(107));
  store.correct(stamp(100), stamp(109));
  Octets reply = packet(31, 200, 0);
  ASSERT_TRUE(store.answer(packet(100, 30, 31), reply));
  EXPECT_EQ(header_of(reply).transmit, stamp(109));
  // Two replies of one name stay unknown, and one that was overwritten stays gone.
  store.sent(stamp(100), stamp(111));
  store.correct(stamp(100), stamp(112));
  EXPECT_FALSE(store.answer(packet(100, 30, 31), reply));
  store.sent(stamp(200), stamp(207));
  store.correct(stamp(100), stamp(113));
  EXPECT_FALSE(store.answer(packet(100, 30, 31), reply));
}

TEST(InterleavedStore, is_bounded_and_forgets_the_older_of_two_in_one_place) {
  InterleavedStore store(1);
  store.sent(stamp(100), stamp(107));
  store.sent(stamp(200), stamp(207));
  Octets reply = packet(31, 300, 0);
  EXPECT_FALSE(store.answer(packet(100, 30, 31), reply));
  EXPECT_TRUE(store.answer(packet(200, 30, 31), reply));
}

}  // namespace
}  // namespace timepool::ntp
