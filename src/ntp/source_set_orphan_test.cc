// The source set on an island (ntp/orphan.h).
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "ntp/server/responder.h"
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
constexpr std::uint8_t kOrphan = 10;

IpAddress ip(std::uint32_t host) {
  return IpAddress::v4(0xc0000200 + host);
}

// We are 192.0.2.5, and poll others of that network.
class OrphanTest : public testing::Test {
 protected:
  void make(std::initializer_list<std::uint32_t> hosts) {
    SourceSetConfig config;
    config.min_sources = 3;
    config.selection.orphan_stratum = kOrphan;
    set_.emplace(config);
    set_->set_own_identity({{IpAddress::v4(0x7f000001), ip(5)}, {{ip(5), 123, 0}}});
    for (const std::uint32_t host : hosts) {
      SourceConfig source;
      source.name = format(ip(host));
      source.poll = {4, 4, false};
      ASSERT_TRUE(set_->add(source, local().mono).ok());
    }
  }
  LocalTime local() const { return {MonoTime::from_ns(77) + since_, kStart + since_}; }
  // A round of requests, answered by those who have a stratum.
  void round(const std::map<std::uint32_t, std::uint8_t>& strata) {
    since_ += Duration::seconds(17);
    out_.clear();
    set_->handle_timer(local(), random_, out_);
    const auto sends = out_.sends;
    since_ += Duration::milliseconds(5);
    const UnixTime middle = local().raw;
    since_ += Duration::milliseconds(5);
    for (const SendAction& send : sends) {
      const auto found = strata.find(send.to.address.v4_bits() & 0xff);
      if (found == strata.end()) continue;
      ServerState state;
      state.leap = wire::ntp::Leap::kNone;
      state.stratum = found->second;
      state.reference_id = wire::ntp::ReferenceId::from_text("LOCL");
      state.reference_time = middle;
      std::vector<std::byte> bytes(wire::ntp::kHeaderSize);
      respond({middle, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, send.bytes(), state, bytes);
      set_transmit(bytes, state, middle);
      out_.clear();
      set_->handle_datagram(send.association, {local(), local().raw}, bytes, random_, out_);
    }
  }
  void rounds(int count, const std::map<std::uint32_t, std::uint8_t>& strata) {
    for (int i = 0; i < count; ++i) round(strata);
  }
  // The last octet of the one that is followed; 0: nobody.
  std::uint32_t followed() const {
    const Tracking tracking = set_->tracking(local().mono);
    return tracking.synchronised ? tracking.server.address.v4_bits() & 0xff : 0;
  }
  Cause cause_of(std::uint32_t host) const {
    for (const SourceReport& report : set_->reports(local().mono)) {
      if (report.server && report.server->address == ip(host)) return report.cause;
    }
    ADD_FAILURE() << host;
    return Cause::kNoSamples;
  }

  std::optional<SourceSet> set_;
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
  Duration since_;
};

TEST_F(OrphanTest, the_one_with_the_smallest_address_is_followed_though_min_sources_asks_for_more) {
  make({3, 4, 7});
  rounds(4, {{3, kOrphan}, {4, kOrphan}, {7, kOrphan}});
  EXPECT_EQ(followed(), 3u);
  EXPECT_EQ(set_->tracking(local().mono).stratum, kOrphan + 1);
  EXPECT_EQ(cause_of(4), Cause::kOrphan);
}

TEST_F(OrphanTest, nobody_is_followed_when_our_address_is_the_smallest) {
  make({6, 7});
  rounds(4, {{6, kOrphan}, {7, kOrphan}});
  EXPECT_EQ(followed(), 0u);
  EXPECT_EQ(set_->agreement(), Agreement::kNobody);
}

TEST_F(OrphanTest, followers_of_orphans_are_never_followed) {
  make({3, 4});
  rounds(4, {{3, kOrphan + 1}, {4, kOrphan + 1}});
  EXPECT_EQ(followed(), 0u);
  EXPECT_EQ(cause_of(3), Cause::kOrphan);
}

TEST_F(OrphanTest, the_next_is_followed_when_the_leader_falls_silent) {
  make({3, 4, 7});
  rounds(4, {{3, kOrphan}, {4, kOrphan + 1}, {7, kOrphan + 1}});
  EXPECT_EQ(followed(), 3u);
  rounds(10, {{4, kOrphan + 1}, {7, kOrphan + 1}});
  EXPECT_EQ(followed(), 0u);
  rounds(4, {{4, kOrphan}, {7, kOrphan + 1}});
  EXPECT_EQ(followed(), 4u);
}

TEST_F(OrphanTest, the_true_time_is_followed_as_soon_as_there_is_a_source_of_it) {
  make({3, 4, 7, 9, 10, 11});
  rounds(8, {{3, kOrphan}, {4, kOrphan + 1}, {7, kOrphan + 1}});
  EXPECT_EQ(followed(), 3u);
  rounds(4, {{3, kOrphan}, {4, kOrphan + 1}, {7, kOrphan + 1}, {9, 2}, {10, 2}, {11, 2}});
  EXPECT_GE(followed(), 9u);
  EXPECT_EQ(cause_of(3), Cause::kOrphan);
}

}  // namespace
}  // namespace timepool::ntp
