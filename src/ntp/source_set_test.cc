// The source set without a world: its limits and reports. How it behaves over time is in
// tests/scenarios.
#include "ntp/source_set.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(77'000'000'000) + since, kStart + since};
}

SourceConfig source(const char* name, SourceKind kind = SourceKind::kServer) {
  SourceConfig out;
  out.name = name;
  out.kind = kind;
  return out;
}

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}

class SourceSetTest : public testing::Test {
 protected:
  void add(const SourceConfig& config) { ASSERT_TRUE(set_.add(config, local_at({}).mono).ok()); }
  void timer(Duration since) {
    out_.clear();
    set_.handle_timer(local_at(since), random_, out_);
  }
  // Answers everything that the last timer() sent, ten milliseconds after it.
  void answer_all(Duration since, const std::map<IpAddress, Duration>& lies = {}) {
    const auto sends = out_.sends;
    out_.clear();
    for (const SendAction& send : sends) {
      ServerState state;
      state.leap = wire::ntp::Leap::kNone;
      state.stratum = 1;
      state.reference_time = kStart;
      const auto lie = lies.find(send.to.address);
      if (lie != lies.end()) state.test_offset = lie->second;
      std::vector<std::byte> bytes(wire::ntp::kHeaderSize);
      const UnixTime middle = kStart + since + Duration::milliseconds(5);
      respond({middle, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, send.bytes(), state, bytes);
      set_transmit(bytes, state, middle);
      const LocalTime now = local_at(since + Duration::milliseconds(10));
      EXPECT_EQ(set_.handle_datagram(send.association, {now, now.raw}, bytes, random_, out_),
                ReplyReason::kAccepted);
    }
  }
  SourceStatus status_of(const char* address) const {
    for (const SourceReport& report : set_.reports(local_at(Duration::seconds(1)).mono)) {
      if (report.server && report.server->address == ip(address)) return report.status;
    }
    ADD_FAILURE() << address << " is not there";
    return SourceStatus::kUnusable;
  }

  SourceSet set_{SourceSetConfig{}};
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
};

TEST_F(SourceSetTest, refuses_what_is_out_of_its_limits) {
  SourceConfig bad = source("192.0.2.1");
  bad.poll.minpoll = 11;
  EXPECT_EQ(set_.add(bad, {}).error(), ChangeError::kLimits);
  EXPECT_EQ(broken_limit(bad), "minpoll is above maxpoll");
  bad = source("192.0.2.1");
  bad.poll.maxpoll = 17;
  EXPECT_EQ(set_.add(bad, {}).error(), ChangeError::kLimits);
  bad = source("192.0.2.1");
  bad.version = 5;
  EXPECT_EQ(set_.add(bad, {}).error(), ChangeError::kLimits);
  EXPECT_EQ(set_.add(source(""), {}).error(), ChangeError::kLimits);
  const auto numbered = [](std::size_t i) { return "a" + std::to_string(i) + ".test"; };
  for (std::size_t i = 0; i < kMaxSources; ++i) add(source(numbered(i).c_str()));
  EXPECT_EQ(set_.add(source(numbered(0).c_str()), {}).error(), ChangeError::kTwice);
  EXPECT_EQ(set_.add(source("192.0.2.1"), {}).error(), ChangeError::kTooMany);
}

TEST_F(SourceSetTest, a_name_is_looked_up_and_its_addresses_are_asked) {
  add(source("pool.test", SourceKind::kPool));
  EXPECT_EQ(set_.next_deadline(), local_at({}).mono);
  timer({});
  ASSERT_EQ(out_.resolves.size(), 1u);
  EXPECT_EQ(set_.name(out_.resolves[0]), "pool.test");
  EXPECT_TRUE(out_.sends.empty());
  const auto before = set_.reports(local_at({}).mono);
  ASSERT_EQ(before.size(), 1u);
  EXPECT_FALSE(before[0].server);
  EXPECT_EQ(static_cast<char>(before[0].status), '?');

  std::vector<IpAddress> addresses;
  for (std::uint32_t i = 1; i <= 6; ++i) addresses.push_back(IpAddress::v4(0xc0000200 + i));
  set_.handle_addresses(0, addresses, local_at({}).mono);
  timer({});
  EXPECT_EQ(out_.sends.size(), kDefaultPoolAddresses);
  EXPECT_EQ(set_.reports(local_at({}).mono).size(), kDefaultPoolAddresses);
}

TEST_F(SourceSetTest, two_sources_with_one_address_have_one_vote) {
  add(source("a.test"));
  add(source("b.test"));
  timer({});
  set_.handle_addresses(0, std::vector{ip("192.0.2.1")}, local_at({}).mono);
  set_.handle_addresses(1, std::vector{ip("192.0.2.1"), ip("192.0.2.2")}, local_at({}).mono);
  timer({});
  ASSERT_EQ(out_.sends.size(), 2u);
  EXPECT_EQ(out_.sends[0].to.address, ip("192.0.2.1"));
  EXPECT_EQ(out_.sends[1].to.address, ip("192.0.2.2"));
}

TEST_F(SourceSetTest, statuses_are_as_chronyc_prints_them) {
  for (const char* name : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}) add(source(name));
  timer({});
  ASSERT_EQ(out_.sends.size(), 4u);
  answer_all({}, {{ip("192.0.2.2"), Duration::milliseconds(400)}});
  EXPECT_EQ(status_of("192.0.2.2"), SourceStatus::kFalseticker);
  int selected = 0;
  int combined = 0;
  for (const SourceReport& report : set_.reports(local_at(Duration::seconds(1)).mono)) {
    selected += static_cast<char>(report.status) == '*' ? 1 : 0;
    combined += static_cast<char>(report.status) == '+' ? 1 : 0;
  }
  EXPECT_EQ(selected, 1);
  EXPECT_EQ(combined, 2);
}

TEST_F(SourceSetTest, tracking_names_the_reference_and_grows_less_sure) {
  add(source("192.0.2.1"));
  EXPECT_FALSE(set_.tracking(local_at({}).mono).synchronised);
  timer({});
  answer_all({}, {{ip("192.0.2.1"), Duration::milliseconds(7)}});
  const Tracking now = set_.tracking(local_at(Duration::milliseconds(10)).mono);
  EXPECT_TRUE(now.synchronised);
  EXPECT_EQ(now.server.address, ip("192.0.2.1"));
  EXPECT_EQ(now.stratum, 2);
  EXPECT_EQ(wire::ntp::format(now.reference_id, now.stratum), "192.0.2.1");
  EXPECT_LE((now.offset - Duration::milliseconds(7)).abs(), Duration::nanoseconds(2));
  EXPECT_GE(now.uncertainty, Duration::milliseconds(5));
  const Tracking later = set_.tracking(local_at(Duration::milliseconds(100'010)).mono);
  EXPECT_EQ(later.uncertainty - now.uncertainty, Duration::milliseconds(5));
}

TEST_F(SourceSetTest, min_sources_must_agree) {
  SourceSetConfig config;
  config.min_sources = 2;
  set_ = SourceSet(config);
  add(source("192.0.2.1"));
  timer({});
  answer_all({});
  EXPECT_FALSE(set_.tracking(local_at(Duration::seconds(1)).mono).synchronised);
}

TEST_F(SourceSetTest, B8_a_datagram_for_an_association_that_is_gone_is_unsolicited) {
  const LocalTime now = local_at({});
  const std::vector<std::byte> bytes(48);
  EXPECT_EQ(set_.handle_datagram(77, {now, now.raw}, bytes, random_, out_),
            ReplyReason::kUnsolicited);
  EXPECT_EQ(set_.count(ReplyReason::kUnsolicited), 1u);
}

// CVE-2016-1549, CVE-2018-7170: who sends packets gains a vote.
TEST_F(SourceSetTest, CVE_2016_1549_CVE_2018_7170_nobody_becomes_a_source_by_sending) {
  add(source("192.0.2.1"));
  timer({});
  const LocalTime now = local_at(Duration::milliseconds(5));
  for (int mode = 0; mode < 8; ++mode) {
    std::vector<std::byte> bytes(48, static_cast<std::byte>(0x20 | mode));
    static_cast<void>(set_.handle_datagram(1, {now, now.raw}, bytes, random_, out_));
    static_cast<void>(set_.handle_datagram(77, {now, now.raw}, bytes, random_, out_));
  }
  EXPECT_EQ(set_.reports(now.mono).size(), 1u);
}

// CVE-2016-1551: an address of 127.127/16 named a reference clock.
TEST_F(SourceSetTest, CVE_2016_1551_no_address_stands_for_a_reference_clock) {
  add(source("127.127.20.0"));
  timer({});
  ASSERT_EQ(out_.sends.size(), 1u);
  EXPECT_EQ(out_.sends[0].to.address, ip("127.127.20.0"));
  EXPECT_FALSE(set_.tracking(local_at({}).mono).synchronised);
}

TEST_F(SourceSetTest, more_sends_than_fit_are_sent_by_the_next_calls) {
  for (int i = 0; i < 16; ++i) {
    add(source(("pool" + std::to_string(i) + ".test").c_str(), SourceKind::kPool));
  }
  timer({});
  EXPECT_EQ(out_.resolves.size(), kMaxResolves);
  for (std::uint32_t i = 0; i < 16; ++i) {
    std::vector<IpAddress> addresses;
    for (std::uint32_t j = 0; j < 4; ++j)
      addresses.push_back(IpAddress::v4(0xc0000200 + i * 4 + j));
    set_.handle_addresses(i, addresses, local_at({}).mono);
  }
  std::size_t sent = 0;
  for (int i = 0; i < 4; ++i) {
    EXPECT_LE(set_.next_deadline(), local_at({}).mono);
    timer({});
    sent += out_.sends.size();
  }
  EXPECT_EQ(sent, 64u);
  EXPECT_GT(set_.next_deadline(), local_at({}).mono);
}

}  // namespace
}  // namespace timepool::ntp
