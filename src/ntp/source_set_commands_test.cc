#include <gtest/gtest.h>

#include <vector>

#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(77'000'000'000) + since, UnixTime::from_seconds(1'790'000'000) + since};
}

class SourceCommands : public testing::Test {
 protected:
  SourceCommands() : set_(SourceSetConfig{}) {
    add("192.0.2.1", SourceKind::kServer);
    add("2001:db8::1", SourceKind::kServer);
    add("pool.example", SourceKind::kPool);
    set_.handle_timer(local_at({}), random_, out_);
    const std::vector<IpAddress> addresses{parse_ip("198.51.100.1").value(),
                                           parse_ip("198.51.100.77").value()};
    set_.handle_addresses(2, addresses, local_at({}).mono);
    out_.clear();
    set_.handle_timer(local_at({}), random_, out_);
  }
  void add(const std::string& name, SourceKind kind) {
    SourceConfig config;
    config.name = name;
    config.kind = kind;
    config.poll.iburst = false;
    EXPECT_TRUE(set_.add(config, local_at({}).mono));
  }
  // Requests that are sent until an hour later.
  std::size_t requests() {
    std::size_t count = 0;
    for (int i = 0; i < 1000 && set_.next_deadline() <= local_at(Duration::seconds(3600)).mono;
         ++i) {
      out_.clear();
      set_.handle_timer(local_at(set_.next_deadline() - local_at({}).mono), random_, out_);
      count += out_.sends.size();
    }
    return count;
  }
  std::size_t online() const {
    std::size_t count = 0;
    for (const SourceReport& report : set_.reports(local_at({}).mono)) {
      count += report.online ? 1 : 0;
    }
    return count;
  }

  SourceSet set_;
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
};

TEST_F(SourceCommands, all_sources_go_offline_and_online) {
  ASSERT_EQ(online(), 4u);
  EXPECT_EQ(set_.set_online(SourceMatch(""), false, local_at({}).mono), 4u);
  EXPECT_EQ(online(), 0u);
  EXPECT_EQ(requests(), 0u);
  EXPECT_EQ(set_.set_online(SourceMatch(""), true, local_at({}).mono), 4u);
  EXPECT_GT(requests(), 40u);
}

TEST_F(SourceCommands, a_source_is_named_as_configured_or_by_an_address_or_a_prefix) {
  const MonoTime now = local_at({}).mono;
  EXPECT_EQ(set_.set_online(SourceMatch("pool.example"), false, now), 2u);
  EXPECT_EQ(set_.set_online(SourceMatch("2001:0db8:0::1"), false, now), 1u);
  EXPECT_EQ(online(), 1u);
  EXPECT_EQ(set_.set_online(SourceMatch("198.51.100.77"), true, now), 1u);
  EXPECT_EQ(online(), 2u);
  EXPECT_EQ(set_.set_online(SourceMatch("198.51.100.0/24"), true, now), 2u);
  EXPECT_EQ(online(), 3u);
  EXPECT_EQ(set_.set_online(SourceMatch("other.example"), false, now), 0u);
  EXPECT_EQ(set_.set_online(SourceMatch("203.0.113.1"), false, now), 0u);
}

TEST_F(SourceCommands, a_burst_reaches_who_is_online_and_names_how_many) {
  const MonoTime now = local_at({}).mono;
  set_.set_online(SourceMatch("192.0.2.1"), false, now);
  EXPECT_EQ(set_.begin_burst(SourceMatch("192.0.2.1"), {2, 5}, now), 0u);
  EXPECT_EQ(set_.begin_burst(SourceMatch(""), {2, 5}, now), 3u);
  out_.clear();
  set_.handle_timer(local_at({}), random_, out_);
  EXPECT_EQ(out_.sends.size(), 3u);
  std::size_t bursts = 0;
  for (const SourceReport& report : set_.reports(now)) bursts += report.in_burst ? 1 : 0;
  EXPECT_EQ(bursts, 3u);
}

}  // namespace
}  // namespace timepool::ntp
