#include "dns/transfer/notify_queue.h"

#include <gtest/gtest.h>

namespace timepool::dns {
namespace {

using Notices = std::vector<NotifyQueue::Notice>;

std::shared_ptr<const ZoneVersion> zone(const char* name, std::uint32_t serial) {
  ZoneVersion out;
  out.origin = wire::dns::DnsName::from_text(name).value();
  out.serial = serial;
  return std::make_shared<const ZoneVersion>(out);
}

const MonoTime kStart = MonoTime() + Duration::seconds(1000);

TEST(NotifyQueue, tells_six_times_ever_later_and_gives_up) {
  NotifyQueue queue;
  EXPECT_TRUE(queue.add(0, zone("a.", 1), 7, kStart));
  std::vector<std::int64_t> sent;
  Notices given_up;
  MonoTime now = kStart;
  while (const auto next = queue.next()) {
    now = *next;
    EXPECT_TRUE(queue.due(now - Duration::nanoseconds(1), 10, given_up).empty());
    for (const auto& notice : queue.due(now, 10, given_up)) {
      EXPECT_EQ(notice.id, 7);
      sent.push_back((now - kStart).ns() / 1'000'000'000);
    }
  }
  EXPECT_EQ(sent, (std::vector<std::int64_t>{0, 2, 6, 14, 30, 62}));
  EXPECT_EQ((now - kStart).ns() / 1'000'000'000, 94);
  ASSERT_EQ(given_up.size(), 1U);
  EXPECT_EQ(given_up[0].tries, NotifyQueue::kTries);
}

TEST(NotifyQueue, ends_with_an_answer_to_that_notice) {
  NotifyQueue queue;
  Notices given_up;
  queue.add(0, zone("a.", 1), 7, kStart);
  queue.add(1, zone("a.", 1), 8, kStart);
  const auto a = wire::dns::DnsName::from_text("A.").value();
  EXPECT_EQ(queue.find(0, a, 7), nullptr) << "not sent yet";
  EXPECT_EQ(queue.due(kStart, 10, given_up).size(), 2U);
  EXPECT_EQ(queue.find(0, a, 8), nullptr);
  EXPECT_NE(queue.find(0, a, 7), nullptr);
  queue.done(0, a);
  EXPECT_EQ(queue.find(0, a, 7), nullptr);
  EXPECT_EQ(queue.size(), 1U);
}

TEST(NotifyQueue, a_newer_change_takes_the_place_of_an_older_one) {
  NotifyQueue queue;
  Notices given_up;
  queue.add(0, zone("a.", 1), 7, kStart);
  EXPECT_EQ(queue.due(kStart, 10, given_up).size(), 1U);
  queue.add(0, zone("a.", 2), 9, kStart + Duration::seconds(1));
  const auto sent = queue.due(kStart + Duration::seconds(1), 10, given_up);
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].zone->serial, 2U);
  EXPECT_EQ(sent[0].tries, 1);
  EXPECT_EQ(queue.find(0, sent[0].zone->origin, 7), nullptr);
}

TEST(NotifyQueue, is_bounded) {
  NotifyQueue queue;
  for (std::size_t i = 0; i < NotifyQueue::kMaxPending; ++i) {
    ASSERT_TRUE(queue.add(i, zone("a.", 1), 1, kStart));
  }
  EXPECT_FALSE(queue.add(NotifyQueue::kMaxPending, zone("a.", 1), 1, kStart));
  EXPECT_TRUE(queue.add(0, zone("a.", 2), 1, kStart));
  Notices given_up;
  EXPECT_EQ(queue.due(kStart, 100, given_up).size(), 100U);
}

}  // namespace
}  // namespace timepool::dns
