// A peer that is configured by its name, when the address that it had falls silent and another
// takes its place.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "ntp/peer_exchange.h"
#include "ntp/peer_test_support.h"
#include "ntp/server/responder.h"
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Header;
using wire::ntp::Mode;

const MonoTime kMono = MonoTime::from_ns(77'000'000'000);
const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const IpAddress kFirst = IpAddress::v4(0xc0000201);
const IpAddress kSecond = IpAddress::v4(0xc0000202);
const IpAddress kServer = IpAddress::v4(0xc6336401);  // one that always answers: there is no outage
constexpr Duration kWay = Duration::milliseconds(5);

Header header_of(Bytes bytes) {
  ByteReader reader(bytes);
  return wire::ntp::read_header(reader);
}

// The machine at an address of the peer's name.
struct Machine {
  Machine() {
    own->state.leap = wire::ntp::Leap::kNone;
    own->state.stratum = 2;
    own->state.reference_time = kStart;
  }
  // What it sends when it has heard `datagram`; nothing of what it did not believe.
  std::vector<std::byte> answer(Bytes datagram, LocalTime came, LocalTime now) {
    std::array<std::byte, 128> buffer{};
    ByteWriter first(buffer);
    if (!exchange.waiting()) static_cast<void>(exchange.start(came, 4, random, proof, first));
    heard = exchange.handle_datagram({came, came.raw}, datagram, proof).reason;
    ByteWriter writer(buffer);
    EXPECT_TRUE(exchange.start(now, 4, random, proof, writer));
    return {writer.written().begin(), writer.written().end()};
  }
  std::shared_ptr<OwnClock> own = std::make_shared<OwnClock>();
  RandomStream random{SiphashKey{7, 2}};
  TestProof proof;
  PeerExchange exchange{ExchangeConfig{}, own};
  std::optional<ReplyReason> heard;
};

class PeerByName : public testing::Test {
 protected:
  struct Sent {
    Header header;
    AssociationId association;
    bool held;
  };
  void SetUp() override {
    SourceConfig peer;
    peer.kind = SourceKind::kPeer;
    peer.name = "peer.test";
    peer.authenticated = true;
    peer.poll = {4, 4, false};
    peer.server_failure_retry_limit = 3;
    ASSERT_TRUE(set_.add(peer, kMono).ok());
    SourceConfig server;
    server.name = "198.51.100.1";
    server.poll = {4, 4, false};
    ASSERT_TRUE(set_.add(server, kMono).ok());
    OwnClock own;
    own.state.leap = wire::ntp::Leap::kNone;
    own.state.stratum = 3;
    own.state.reference_time = kStart;
    set_.set_own_clock(own);
  }
  LocalTime at(Duration since) const { return {kMono + since, kStart + since}; }

  void run_until(Duration end) {
    while (set_.next_deadline() <= kMono + end) {
      since_ = std::max(since_, set_.next_deadline() - kMono);
      Outbox out;
      set_.handle_timer(at(since_), random_, out);
      const auto sends = out.sends;
      for (const SendAction& send : sends) deliver(send);
      for (const SourceId name : out.resolves) {
        set_.handle_addresses(name, std::vector{kFirst, kSecond}, at(since_).mono);
      }
    }
    since_ = end;
  }
  void deliver(const SendAction& send) {
    const LocalTime there = at(since_ + kWay);
    const LocalTime back = at(since_ + kWay * 2);
    std::vector<std::byte> bytes;
    if (send.to.address == kServer) {
      ServerState state;
      state.leap = wire::ntp::Leap::kNone;
      state.stratum = 1;
      state.reference_time = kStart;
      bytes.resize(wire::ntp::kHeaderSize);
      respond({there.raw, {IpAddress::v4(0xc0000263), 4000, 0}, {}}, send.bytes(), state, bytes);
      set_transmit(bytes, state, there.raw);
    } else {
      sent_[send.to.address].push_back({header_of(send.bytes()), send.association, send.held});
      if (silent_ == send.to.address) return;
      bytes = machines_[send.to.address].answer(send.bytes(), there, there);
    }
    Outbox out;
    last_ = set_.handle_datagram(send.association, {back, back.raw}, bytes, random_, out);
  }

  // To servers nothing is proved: NoAuthentication.
  SourceSet set_{SourceSetConfig{},
                 [](const Source& source, const IpAddress&) -> std::unique_ptr<Authenticator> {
                   if (source.config().kind == SourceKind::kPeer)
                     return std::make_unique<TestProof>();
                   return std::make_unique<NoAuthentication>();
                 }};
  RandomStream random_{SiphashKey{1, 2}};
  Duration since_;
  std::map<IpAddress, Machine> machines_;
  std::map<IpAddress, std::vector<Sent>> sent_;
  std::optional<IpAddress> silent_;
  std::optional<ReplyReason> last_;
};

TEST_F(PeerByName, one_that_falls_silent_is_left_for_the_next_address_of_its_name) {
  run_until(Duration::seconds(100));
  ASSERT_GE(sent_[kFirst].size(), 5u);
  EXPECT_TRUE(sent_[kSecond].empty());
  EXPECT_FALSE(sent_[kFirst].back().header.origin.is_zero()) << "it was heard";
  silent_ = kFirst;
  run_until(Duration::seconds(400));
  ASSERT_GE(sent_[kSecond].size(), 5u);
  const Sent& begun = sent_[kSecond].front();
  EXPECT_EQ(begun.header.mode, Mode::kSymmetricActive);
  EXPECT_TRUE(begun.held);
  // Nothing of the one before is told to the other or believed of it.
  EXPECT_TRUE(begun.header.origin.is_zero());
  EXPECT_TRUE(begun.header.receive.is_zero());
  EXPECT_NE(begun.association, sent_[kFirst].back().association);
  const auto reports = set_.reports(at(since_).mono);
  const auto found = std::find_if(reports.begin(), reports.end(), [](const SourceReport& it) {
    return it.server && it.server->address == kSecond;
  });
  ASSERT_NE(found, reports.end());
  EXPECT_NE(found->reach, 0);
  EXPECT_TRUE(found->has_estimate);
  EXPECT_LT(found->estimate.offset.abs(), Duration::milliseconds(1));
}

TEST_F(PeerByName, what_still_comes_from_the_address_that_was_left_is_nobodys) {
  run_until(Duration::seconds(100));
  silent_ = kFirst;
  const AssociationId left = sent_[kFirst].back().association;
  run_until(Duration::seconds(400));
  ASSERT_FALSE(sent_[kSecond].empty());
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  Machine& first = machines_[kFirst];
  ASSERT_TRUE(first.exchange.start(at(since_), 4, first.random, first.proof, writer));
  Outbox out;
  const LocalTime now = at(since_);
  EXPECT_EQ(set_.handle_datagram(left, {now, now.raw}, writer.written(), random_, out),
            ReplyReason::kUnsolicited);
  EXPECT_TRUE(out.sends.empty());
}

}  // namespace
}  // namespace timepool::ntp
