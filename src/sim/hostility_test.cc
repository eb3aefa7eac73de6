#include "sim/hostility.h"

#include <gtest/gtest.h>

#include <set>

#include "wire/ntp/header.h"

namespace timepool::sim {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'790'000'000);

std::vector<std::byte> honest(std::uint64_t origin) {
  wire::ntp::Header header;
  header.mode = wire::ntp::Mode::kServer;
  header.stratum = 2;
  header.origin = NtpTimestamp::from_bits(origin);
  header.receive = to_ntp(kNow);
  header.transmit = to_ntp(kNow);
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

wire::ntp::Header header_of(const std::vector<std::byte>& octets) {
  ByteReader reader(octets);
  return wire::ntp::read_header(reader);
}

TEST(Hostility, the_same_seed_plays_the_same_tricks) {
  std::vector<Trick> all;
  for (std::size_t i = 0; i < kTrickCount; ++i) all.push_back(static_cast<Trick>(i));
  Hostility first(all, Prng(7));
  Hostility second(all, Prng(7));
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto a = first.play(honest(i), kNow);
    const auto b = second.play(honest(i), kNow);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t k = 0; k < a.size(); ++k) {
      EXPECT_EQ(a[k].bytes, b[k].bytes);
      EXPECT_EQ(a[k].delay, b[k].delay);
    }
  }
}

TEST(Hostility, times_of_all_eras_are_played_with_the_right_origin) {
  Hostility hostility({Trick::kTimes}, Prng(1));
  std::set<std::uint32_t> eighths;
  for (std::uint64_t i = 0; i < 500; ++i) {
    for (const HostileSending& sending : hostility.play(honest(i), kNow)) {
      const wire::ntp::Header header = header_of(sending.bytes);
      EXPECT_EQ(header.origin.bits(), i);
      eighths.insert(header.transmit.seconds() >> 29);
    }
  }
  EXPECT_EQ(eighths.size(), 8u);
}

TEST(Hostility, kisses_keep_the_origin_and_replays_seldom_have_it) {
  Hostility kisses({Trick::kKisses}, Prng(2));
  Hostility replays({Trick::kReplays}, Prng(2));
  std::size_t old = 0;
  for (std::uint64_t i = 1; i < 100; ++i) {
    for (const HostileSending& sending : kisses.play(honest(i), kNow)) {
      EXPECT_EQ(header_of(sending.bytes).origin.bits(), i);
      EXPECT_EQ(header_of(sending.bytes).stratum, 0);
    }
    for (const HostileSending& sending : replays.play(honest(i), kNow)) {
      EXPECT_EQ(sending.answers, header_of(sending.bytes).origin.bits() == i);
      old += !sending.answers;
    }
  }
  EXPECT_GT(old, 400u);
}

TEST(Hostility, names_are_unique) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTrickCount; ++i) names.insert(name_of(static_cast<Trick>(i)));
  EXPECT_EQ(names.size(), kTrickCount);
}

}  // namespace
}  // namespace timepool::sim
