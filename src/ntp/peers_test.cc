// Two machines as peers of each other, over minutes: what each sends when, and what each finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "ntp/association.h"
#include "ntp/peer_test_support.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Leap;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();
constexpr Duration kWay = Duration::milliseconds(5);

AssociationConfig peer_config(std::int8_t minpoll, std::int8_t maxpoll,
                              std::shared_ptr<const OwnClock> own) {
  AssociationConfig out;
  out.server = {IpAddress::v4(0xc0000201), 123, 0};
  out.mode = TalkMode::kSymmetric;
  out.poll = {minpoll, maxpoll, false};
  out.own = std::move(own);
  return out;
}

struct Machine {
  Machine(std::int8_t minpoll, std::int8_t maxpoll, std::uint8_t stratum, Duration first,
          std::uint64_t seed)
      : random(SiphashKey{seed, 2}),
        association(1, peer_config(minpoll, maxpoll, own), std::make_unique<TestProof>(),
                    MonoTime() + first) {
    if (stratum == 0) return;
    own->state.leap = Leap::kNone;
    own->state.stratum = stratum;
    own->state.reference_time = kStart;
  }
  LocalTime at(MonoTime now) const { return {now, kStart + ahead + (now - MonoTime())}; }

  std::shared_ptr<OwnClock> own = std::make_shared<OwnClock>();
  RandomStream random;
  Association association;
  Duration ahead;
  std::vector<MonoTime> sent;
  // On the way here.
  std::optional<MonoTime> arrival;
  std::vector<std::byte> packet;
  std::vector<Duration> waits;  // from the last that was sent to what came
};

class Peers {
 public:
  void run(Machine& a, Machine& b, Duration span) {
    const MonoTime end = MonoTime() + span;
    for (;;) {
      const MonoTime next =
          std::min({a.association.next_deadline(), b.association.next_deadline(),
                    a.arrival.value_or(MonoTime::max()), b.arrival.value_or(MonoTime::max())});
      if (next > end) return;
      now_ = std::max(now_, next);
      turn(a, b);
      turn(b, a);
    }
  }

 private:
  void turn(Machine& self, Machine& other) {
    out_.clear();
    if (self.arrival && *self.arrival <= now_) {
      self.arrival.reset();
      if (!self.sent.empty()) self.waits.push_back(now_ - self.sent.back());
      const LocalTime local = self.at(now_);
      static_cast<void>(
          self.association.handle_datagram({local, local.raw}, self.packet, self.random, out_));
    }
    if (now_ >= self.association.next_deadline()) {
      self.association.handle_timer(self.at(now_), self.random, out_);
    }
    for (const SendAction& send : out_.sends) {
      EXPECT_TRUE(send.held);
      self.sent.push_back(now_);
      other.arrival = now_ + kWay;
      other.packet.assign(send.bytes().begin(), send.bytes().end());
    }
  }

  MonoTime now_;
  Outbox out_;
};

Duration shortest_gap(const Machine& machine) {
  Duration out = Duration::max();
  for (std::size_t i = 1; i < machine.sent.size(); ++i) {
    out = std::min(out, machine.sent[i] - machine.sent[i - 1]);
  }
  return out;
}

TEST(Peers, each_measures_the_other_and_neither_sends_more_often_than_its_interval) {
  Machine a(4, 4, 2, Duration(), 1);
  Machine b(4, 4, 3, Duration::seconds(7), 2);
  b.ahead = Duration::milliseconds(250);
  Peers().run(a, b, Duration::seconds(1800));
  for (const Machine* machine : {&a, &b}) {
    EXPECT_GE(std::popcount(machine->association.reach()), 6);
    EXPECT_GE(shortest_gap(*machine), Duration::seconds(15));
    EXPECT_LE(machine->sent.size(), 1800u / 15 + 1);
    EXPECT_GE(machine->sent.size(), 1800u / 18 - 1);
  }
  const Estimate found = a.association.estimate(MonoTime() + Duration::seconds(1800));
  EXPECT_LE((found.offset - Duration::milliseconds(250)).abs(), found.distance);
  EXPECT_LE((found.offset - Duration::milliseconds(250)).abs(), Duration::milliseconds(1));
  const Estimate other = b.association.estimate(MonoTime() + Duration::seconds(1800));
  EXPECT_LE((other.offset + Duration::milliseconds(250)).abs(), Duration::milliseconds(1));
}

TEST(Peers, the_one_nearer_to_the_truth_answers_the_other_soon) {
  Machine a(4, 4, 2, Duration(), 1);
  Machine b(4, 4, 3, Duration::seconds(7), 2);
  Peers().run(a, b, Duration::seconds(1800));
  ASSERT_GE(b.waits.size(), 100u);
  std::vector<Duration> settled(b.waits.end() - 50, b.waits.end());
  std::sort(settled.begin(), settled.end());
  // From b's packet to a's answer to it, by far most of the time.
  EXPECT_LE(settled[25], Duration::seconds(1));
}

TEST(Peers, RFC5905_9_2_the_one_that_polls_more_often_sets_the_pace_within_the_others_limits) {
  Machine a(4, 4, 2, Duration(), 1);
  Machine b(4, 10, 3, Duration::seconds(7), 2);
  Peers().run(a, b, Duration::seconds(3600));
  EXPECT_EQ(b.association.poll(), 4);
  Machine quick(3, 3, 2, Duration(), 1);
  Machine slow(5, 10, 3, Duration::seconds(7), 2);
  Peers().run(quick, slow, Duration::seconds(3600));
  EXPECT_EQ(slow.association.poll(), 5);
  EXPECT_GE(shortest_gap(slow), Duration::seconds(30));
}

TEST(Peers, without_time_on_either_side_nothing_is_measured) {
  Machine a(4, 4, 0, Duration(), 1);
  Machine b(4, 4, 0, Duration::seconds(7), 2);
  Peers().run(a, b, Duration::seconds(600));
  EXPECT_FALSE(a.association.measurable());
  EXPECT_GT(a.association.count(ReplyReason::kUnsynchronised), 20u);
  EXPECT_GE(shortest_gap(a), Duration::seconds(15));
}

TEST(Peers, a_silent_peer_is_unreachable_and_is_asked_at_its_interval) {
  Machine a(4, 4, 2, Duration(), 1);
  Machine b(4, 4, 3, Duration::seconds(7), 2);
  b.association.set_online(false, MonoTime());
  Peers().run(a, b, Duration::seconds(600));
  EXPECT_EQ(a.association.reach(), 0);
  EXPECT_TRUE(b.sent.empty());
  EXPECT_GE(a.association.unanswered(), 30u);
  EXPECT_GE(shortest_gap(a), Duration::seconds(15));
}

}  // namespace
}  // namespace timepool::ntp
