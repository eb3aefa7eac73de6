#include "ntp/server/client_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/bucket_table.h"
#include "base/prng.h"

namespace timepool::ntp {
namespace {

constexpr MonoTime kStart = MonoTime::from_ns(5'000'000'000'000);

MonoTime after(double seconds) {
  return kStart + Duration::from_seconds(seconds);
}

Client client(std::uint64_t number, std::uint32_t requests) {
  Client out;
  out.key = {0x2001'0db8'0000'0000, number};
  out.requests = requests;
  return out;
}

// Puts it where the table says; kNone when nowhere.
std::uint32_t put(ClientTable& table, const Client& it, std::uint64_t hash, MonoTime now) {
  std::uint32_t index = table.find(it.key, hash);
  if (index == ClientTable::kNone) index = table.place_for(hash, ticks_of(now)).index;
  if (index != ClientTable::kNone) table.store(index, hash, it, ticks_of(now));
  return index;
}

TEST(ClientTable, gives_back_what_was_stored) {
  ClientTable table(64);
  Client it;
  it.key = key_of(parse_ip("192.0.2.1").value());
  it.moment = kMomentMask - 5;
  it.requests = 0xffff'fffe;
  it.dropped = 77;
  it.last = 0xfedc'ba98;
  it.interval = 80;
  it.after_answer = -64;
  it.after_drop = kNoInterval;
  it.version = 4;
  it.mode = 3;
  it.last_dropped = true;
  const std::uint32_t index = put(table, it, 0x1234'5678'9abc'def0, kStart);
  ASSERT_NE(index, ClientTable::kNone);
  EXPECT_EQ(table.load(index), it);
  EXPECT_EQ(table.find(it.key, 0x1234'5678'9abc'def0), index);
  EXPECT_EQ(table.find({1, 2}, 0x1234'5678'9abc'def0), ClientTable::kNone) << "the same hash";
  EXPECT_EQ(table.used(), 1U);
}

TEST(ClientTable, addresses_survive_the_key) {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_EQ(format(address_of(key_of(parse_ip(text).value()))), text);
  }
}

TEST(ClientTable, networks_of_an_address_differ_by_length) {
  const AddressKey v6 = key_of(parse_ip("2001:db8:1:203:4::5").value());
  const AddressKey v4 = key_of(parse_ip("192.0.2.77").value());
  EXPECT_EQ(key_of(Network::kV6Of48, v6).high, 0x2001'0db8'0001'0000U);
  EXPECT_EQ(key_of(Network::kV6Of56, v6).high, 0x2001'0db8'0001'0200U);
  EXPECT_EQ(key_of(Network::kV6Of64, v6).high, 0x2001'0db8'0001'0203U);
  EXPECT_EQ(key_of(Network::kV4Of24, v4), key_of(Network::kV4Of24, {0, v4.low ^ 0xff}));
  EXPECT_NE(key_of(Network::kV4Of24, v4), key_of(Network::kV4Of24, {0, v4.low ^ 0x100}));
}

TEST(ClientTable, one_that_came_again_keeps_its_place_from_those_that_came_once) {
  ClientTable table(8);
  for (std::uint64_t i = 0; i < 4; ++i) put(table, client(i, 2), i + 1, kStart);
  for (std::uint64_t i = 100; i < 1000; ++i) put(table, client(i, 1), i, after(1));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_NE(table.find(client(i, 2).key, i + 1), ClientTable::kNone) << i;
  }
  EXPECT_EQ(table.used(), 8U);
}

TEST(ClientTable, when_all_came_again_a_newcomer_has_no_place_until_one_was_silent_for_long) {
  ClientTable table(8);
  for (std::uint64_t i = 0; i < 8; ++i) put(table, client(i, 2), i + 1, after(i == 3 ? 0 : 900));
  EXPECT_EQ(table.place_for(99, ticks_of(after(1000))).index, ClientTable::kNone);
  const ClientTable::Place place = table.place_for(99, ticks_of(after(2500)));
  EXPECT_EQ(place.index, table.find(client(3, 2).key, 4));
  EXPECT_FALSE(place.pushes_out);
}

TEST(ClientTable, pushing_out_is_taking_the_place_of_one_heard_of_just_now) {
  ClientTable table(8);
  for (std::uint64_t i = 0; i < 8; ++i) put(table, client(i, 1), i + 1, kStart);
  EXPECT_TRUE(table.place_for(99, ticks_of(after(10))).pushes_out);
  EXPECT_TRUE(table.place_for(99, ticks_of(after(120))).pushes_out);
  EXPECT_FALSE(table.place_for(99, ticks_of(after(160))).pushes_out);
}

TEST(ClientTable, top_has_the_most_active_first) {
  ClientTable table(4096);
  Prng prng(3);
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    Client it = client(i, i);
    it.dropped = i / 2;
    it.last = static_cast<std::uint32_t>(ticks_of(kStart) >> (kTickBits - 8));
    it.interval = 80;
    it.version = 4;
    it.mode = 3;
    ASSERT_NE(put(table, it, prng.next(), kStart), ClientTable::kNone);
  }
  const auto top = table.top(3, after(20));
  ASSERT_EQ(top.size(), 3U);
  EXPECT_EQ(top[0].requests, 1000U);
  EXPECT_EQ(top[2].requests, 998U);
  EXPECT_EQ(top[0].dropped, 500U);
  EXPECT_EQ(format(top[0].address), "2001:db8::3e8");
  EXPECT_EQ(top[0].age, Duration::seconds(20));
  EXPECT_EQ(top[0].interval, Duration::seconds(1024));
  EXPECT_EQ(top[0].version, 4);
  EXPECT_EQ(table.top(5000, kStart).size(), 1000U);
  EXPECT_TRUE(table.top(0, kStart).empty());
}

TEST(ClientTable, top_never_mixes_two_owners_of_a_place_while_another_thread_writes) {
  ClientTable table(8);
  std::atomic<bool> done{false};
  std::thread owner([&] {
    // Owners change all the time; the thousands of a client's counters are its address.
    for (std::uint32_t i = 1; i <= 200'000; ++i) {
      const std::uint32_t number = 1 + i / 3 % 1000;
      Client it = client(number, number * 1000 + i % 3);
      it.dropped = number * 1000;
      const std::uint64_t hash = number;
      std::uint32_t index = table.find(it.key, hash);
      if (index == ClientTable::kNone) index = i / 3 % 8;
      table.store(index, hash, it, ticks_of(kStart));
    }
    done = true;
  });
  std::uint64_t seen = 0;
  std::uint64_t mixed = 0;
  while (!done) {
    for (const ClientReport& it : table.top(8, kStart)) {
      const std::uint64_t number = key_of(it.address).low;
      mixed += it.requests / 1000 == number && it.dropped / 1000 == number ? 0U : 1U;
      ++seen;
    }
  }
  owner.join();
  EXPECT_EQ(mixed, 0U);
  EXPECT_GT(seen + table.top(8, kStart).size(), 0U);
}

TEST(ClientTable, intervals_are_logarithms_that_follow_slowly) {
  EXPECT_EQ(log_interval(256), 0);
  EXPECT_EQ(log_interval(256 * 1024), 80);
  EXPECT_EQ(log_interval(0), -64);
  EXPECT_EQ(log_interval(0xffff'ffff), 127);
  EXPECT_EQ(averaged(kNoInterval, 40), 40);
  EXPECT_EQ(averaged(0, 80), 20);
  EXPECT_EQ(averaged(0, -80), -20);
  EXPECT_EQ(averaged(79, 80), 80);
  EXPECT_EQ(averaged(127, -64), 79);
}

TEST(BucketTable, only_buckets_that_are_not_full_hold_a_place) {
  BucketTable buckets(8);
  const std::uint64_t now = ticks_of(kStart);
  const BucketRate rate = BucketRate::of(1, 10);
  for (std::uint64_t tag = 1; tag <= 8; ++tag) {
    std::uint64_t* place = buckets.find(tag, now);
    ASSERT_NE(place, nullptr);
    BucketTable::set(*place, tag, take_token(BucketTable::moment(*place), now, rate));
  }
  EXPECT_EQ(buckets.find(9, now), nullptr);
  std::uint64_t* mine = buckets.find(5, now);
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(debt_of(BucketTable::moment(*mine), now, rate), kTicksPerSecond);
  EXPECT_NE(buckets.find(9, now + kTicksPerSecond), nullptr) << "all are full again";
}

}  // namespace
}  // namespace timepool::ntp
