// The rules of failing over, one by one (F1 to F12), without a selection: the test says how many
// agree and whose time is of no use.
#include "ntp/population.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

const MonoTime kMono = MonoTime::from_ns(77'000'000'000);
const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);

// The host of the network 192.0.n.0/24.
IpAddress ip(std::uint32_t network, std::uint32_t host = 1) {
  return IpAddress::v4(0xc0000000 + (network << 8) + host);
}
std::vector<IpAddress> networks(std::uint32_t count) {
  std::vector<IpAddress> out;
  for (std::uint32_t i = 1; i <= count; ++i) out.push_back(ip(i));
  return out;
}
Duration s(std::int64_t seconds) {
  return Duration::seconds(seconds);
}

class PopulationTest : public testing::Test {
 protected:
  SourceId add(const char* name, SourceKind kind = SourceKind::kServer) {
    SourceConfig config = settings_;
    config.name = name;
    config.kind = kind;
    return population_.add(config, now().mono).value();
  }
  void list(SourceId source, const std::vector<IpAddress>& addresses) {
    listed_[source] = addresses;
  }
  LocalTime now() const { return {kMono + since_, kStart + since_}; }

  void run_until(std::int64_t seconds) {
    while (next() <= kMono + s(seconds)) {
      since_ = std::max(since_, next() - kMono);
      Outbox out;
      population_.grow(now().mono, out);
      for (Member& member : population_.members()) {
        if (now().mono < member.association->next_deadline()) continue;
        member.association->handle_timer(now(), random_, out);
        population_.observe(member, now().mono);
      }
      for (const SendAction& send : out.sends) answer(send);
      population_.care(now().mono, survivors_, out);
      for (const SourceId source : out.resolves) {
        ++lookups_;
        population_.handle_addresses(source, listed_[source], now().mono);
      }
      for (const Event& event : out.events) {
        if (event.kind == EventKind::kReplaced) replaced_at_.push_back(since_);
      }
    }
    since_ = s(seconds);
  }
  MonoTime next() const {
    MonoTime out = population_.next_deadline();
    for (const Member& member : population_.members()) {
      out = std::min(out, member.association->next_deadline());
    }
    return out;
  }
  void answer(const SendAction& send) {
    ++asked_[send.to.address];
    if (silent_.contains(send.to.address) || lose_ > 0) {
      if (lose_ > 0) --lose_;
      return;
    }
    ServerState state;
    state.leap = wire::ntp::Leap::kNone;
    state.stratum = 1;
    // Each a machine of its own, as far as one can see.
    state.reference_id = wire::ntp::ReferenceId::of_address(send.to.address);
    state.reference_time = kStart - s(send.to.address.v4_bits() >> 8 & 0xff);
    std::vector<std::byte> bytes(wire::ntp::kHeaderSize);
    const UnixTime middle = now().raw + Duration::milliseconds(5);
    respond({middle, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, send.bytes(), state, bytes);
    set_transmit(bytes, state, middle);
    since_ += Duration::milliseconds(10);
    Member& member = *population_.members().find(send.association);
    Outbox out;
    const ReplyReason reason =
        member.association->handle_datagram({now(), now().raw}, bytes, random_, out);
    ASSERT_EQ(reason, ReplyReason::kAccepted);
    population_.answered(member, true, now().mono, out);
    member.useless = useless_.contains(send.to.address) ? member.useless + 1 : 0;
  }
  std::set<IpAddress> in_use() const {
    std::set<IpAddress> out;
    for (const Member& member : population_.members()) out.insert(member.server().address);
    return out;
  }
  static std::set<IpAddress> those(const std::vector<IpAddress>& all) {
    return {all.begin(), all.end()};
  }

  SourceConfig settings_;
  Population population_{PopulationConfig{}, {}};
  RandomStream random_{SiphashKey{1, 2}};
  Duration since_;
  std::size_t survivors_ = 4;
  std::map<SourceId, std::vector<IpAddress>> listed_;
  std::set<IpAddress> silent_;
  std::set<IpAddress> useless_;
  int lose_ = 0;  // as many replies are lost from now on
  std::map<IpAddress, int> asked_;
  int lookups_ = 0;
  std::vector<Duration> replaced_at_;
};

TEST_F(PopulationTest, F1_F2_a_name_goes_on_to_its_next_address_without_a_new_look_up) {
  list(add("a.test"), networks(3));
  silent_ = those({ip(1), ip(2)});
  run_until(400);
  EXPECT_EQ(in_use(), those({ip(3)}));
  EXPECT_EQ(lookups_, 1);
}

TEST_F(PopulationTest, F3_a_list_that_is_used_up_is_asked_for_anew) {
  const SourceId name = add("a.test");
  list(name, networks(2));
  silent_ = those(networks(2));
  run_until(400);
  EXPECT_GT(lookups_, 1);
  list(name, {ip(9)});
  run_until(3000);
  EXPECT_EQ(in_use(), those({ip(9)}));
}

TEST_F(PopulationTest, F4_a_server_has_one_address_a_pool_four_or_as_many_as_are_wanted) {
  list(add("a.test"), networks(8));
  run_until(10);
  EXPECT_EQ(in_use().size(), 1u);
  list(add("b.test", SourceKind::kPool), networks(8));
  run_until(20);
  EXPECT_EQ(in_use().size(), 5u);
  settings_.max_addresses = 2;
  list(add("c.test", SourceKind::kPool), networks(8));
  run_until(30);
  EXPECT_EQ(in_use().size(), 7u);
}

TEST_F(PopulationTest, F5_an_address_that_never_answered_is_left_after_so_many_requests) {
  settings_.initial_failover_retry_limit = 3;
  settings_.poll.iburst = false;
  list(add("a.test"), networks(2));
  silent_ = those({ip(1)});
  run_until(400);
  EXPECT_EQ(in_use(), those({ip(2)}));
  EXPECT_EQ(asked_[ip(1)], 3);
}

TEST_F(PopulationTest, F5_F6_a_limit_of_zero_is_never) {
  settings_.initial_failover_retry_limit = 0;
  settings_.server_failure_retry_limit = 0;
  list(add("a.test"), networks(2));
  add("192.0.9.1");
  silent_ = those({ip(1)});
  run_until(4000);
  EXPECT_EQ(in_use(), those({ip(1), ip(9)}));
}

TEST_F(PopulationTest, F6_F7_one_that_answered_is_left_after_its_own_limit_of_misses_in_a_row) {
  settings_.poll.maxpoll = 6;
  settings_.server_failure_retry_limit = 5;
  list(add("a.test"), networks(2));
  add("192.0.9.1");
  run_until(1000);
  const int before = asked_[ip(1)];
  silent_ = those({ip(1)});
  run_until(1400);
  EXPECT_EQ(in_use(), those({ip(2), ip(9)}));
  // One more may be on its way when the other server shows that the network is there.
  EXPECT_GE(asked_[ip(1)] - before, 5);
  EXPECT_LE(asked_[ip(1)] - before, 6);
}

TEST_F(PopulationTest, F8_an_address_that_is_listed_no_more_stays_while_it_answers) {
  const SourceId name = add("a.test");
  list(name, {ip(1)});
  run_until(10);
  list(name, {ip(2)});
  run_until(8000);
  EXPECT_GE(lookups_, 2);
  EXPECT_EQ(in_use(), those({ip(1)}));
}

TEST_F(PopulationTest, F9_an_address_literal_has_no_failover) {
  add("192.0.1.1");
  add("192.0.9.1");
  silent_ = those({ip(1)});
  run_until(8000);
  EXPECT_EQ(in_use(), those({ip(1), ip(9)}));
  EXPECT_EQ(lookups_, 0);
}

TEST_F(PopulationTest, F10_lost_packets_below_the_limit_move_nobody) {
  list(add("a.test"), networks(2));
  run_until(1000);
  for (int i = 0; i < 5; ++i) {
    lose_ = 1;
    run_until(1000 + (i + 1) * 1500);
  }
  lose_ = 7;
  run_until(20'000);
  EXPECT_EQ(in_use(), those({ip(1)}));
  EXPECT_TRUE(replaced_at_.empty());
}

TEST_F(PopulationTest, F11_useless_members_of_a_pool_go_one_at_a_time_at_a_bounded_rate) {
  settings_.poll.maxpoll = 6;
  list(add("a.test", SourceKind::kPool), networks(12));
  useless_ = those({ip(1), ip(2), ip(3)});
  run_until(12'000);
  EXPECT_EQ(in_use(), those({ip(4), ip(5), ip(6), ip(7)}));
  ASSERT_EQ(replaced_at_.size(), 3u);
  for (std::size_t i = 1; i < replaced_at_.size(); ++i) {
    EXPECT_GE(replaced_at_[i] - replaced_at_[i - 1], PopulationConfig{}.replace_interval);
  }
}

TEST_F(PopulationTest, F11_nobody_who_answers_goes_while_too_few_others_agree) {
  settings_.poll.maxpoll = 6;
  list(add("a.test", SourceKind::kPool), networks(12));
  // A server is not a pool.
  list(add("b.test"), {ip(20), ip(21)});
  useless_ = those({ip(1), ip(2), ip(3), ip(20)});
  survivors_ = 0;
  run_until(60);
  const std::set<IpAddress> before = in_use();
  survivors_ = 1;
  useless_ = those({ip(20)});
  run_until(12'000);
  EXPECT_EQ(in_use(), before);
}

TEST_F(PopulationTest,
       F11_an_address_that_was_left_comes_back_only_after_a_day_or_for_want_of_others) {
  settings_.poll.maxpoll = 6;
  const SourceId pool = add("a.test", SourceKind::kPool);
  list(pool, networks(5));
  useless_ = those(networks(5));
  run_until(20'000);
  // There is one spare address, and none of those that were left is any better.
  EXPECT_EQ(replaced_at_.size(), 1u);
}

TEST_F(PopulationTest, F12_addresses_that_come_later_are_taken) {
  const SourceId pool = add("a.test", SourceKind::kPool);
  list(pool, networks(2));
  run_until(100);
  EXPECT_EQ(in_use().size(), 2u);
  list(pool, networks(4));
  run_until(1300);
  EXPECT_EQ(in_use(), those(networks(4)));
}

TEST_F(PopulationTest, B3_addresses_of_different_networks_come_first) {
  list(add("a.test", SourceKind::kPool), {ip(1, 1), ip(1, 2), ip(1, 3), ip(2), ip(3), ip(4)});
  run_until(10);
  EXPECT_EQ(in_use(), those({ip(1, 1), ip(2), ip(3), ip(4)}));
}

TEST_F(PopulationTest, B3_diversity_that_comes_later_is_taken_at_the_same_bounded_rate) {
  settings_.poll.maxpoll = 6;
  const SourceId pool = add("a.test", SourceKind::kPool);
  list(pool, {ip(1, 1), ip(1, 2), ip(1, 3), ip(1, 4)});
  run_until(1000);
  list(pool, {ip(2), ip(3), ip(4), ip(5)});
  run_until(30'000);
  std::set<std::uint32_t> different;
  for (const IpAddress& address : in_use()) different.insert(address.v4_bits() >> 8);
  EXPECT_EQ(different.size(), 4u);
  for (std::size_t i = 1; i < replaced_at_.size(); ++i) {
    EXPECT_GE(replaced_at_[i] - replaced_at_[i - 1], PopulationConfig{}.replace_interval);
  }
}

TEST_F(PopulationTest, when_all_fall_silent_nobody_is_replaced_and_no_name_looked_up) {
  settings_.poll.maxpoll = 6;
  list(add("a.test", SourceKind::kPool), networks(12));
  run_until(1000);
  const std::set<IpAddress> before = in_use();
  const int lookups = lookups_;
  silent_ = those(networks(12));
  run_until(3000);
  EXPECT_TRUE(population_.outage());
  EXPECT_EQ(in_use(), before);
  EXPECT_EQ(lookups_, lookups);
  silent_.clear();
  run_until(3200);
  EXPECT_FALSE(population_.outage());
  EXPECT_EQ(in_use(), before);
}

}  // namespace
}  // namespace timepool::ntp
