// Any sequence of our requests and datagrams, proved or not: no crash, only what is proved changes
// anything, no broadcast counts twice, and none far from what its server answered.
//
// The input is a list of steps: an octet that says what, and for a datagram its length (two octets)
// and octets. No input guesses a MAC or our random bits, so the step says whether the MAC and the
// origin are made right. An octet before all steps says whether the way is known.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>

#include "base/check.h"
#include "ntp/broadcast_exchange.h"
#include "ntp/peer_test_support.h"

namespace {

using namespace timepool;

constexpr std::size_t kMaxDatagram = 2048;
constexpr std::size_t kProved = wire::ntp::kHeaderSize + 20;
constexpr Duration kWay = Duration::milliseconds(2);

struct Fuzz {
  explicit Fuzz(bool way_known)
      : known(way_known),
        exchange(ntp::ExchangeConfig{}, way_known ? kWay : Duration(),
                 std::make_shared<ntp::OwnClock>()) {}

  ntp::LocalTime tick(unsigned milliseconds) {
    const Duration span = Duration::milliseconds(milliseconds);
    now = {now.mono + span, now.raw + span};
    return now;
  }
  void start() {
    ByteWriter writer(sent);
    const bool asked = exchange.start(tick(1000), 10, random, proof, writer);
    CHECK(asked == !known && exchange.waiting() == asked);
  }
  void receive(ByteReader& input, unsigned what) {
    const std::size_t length = input.u16() % kMaxDatagram;
    const Bytes bytes = input.bytes(length);
    std::array<std::byte, kMaxDatagram> datagram{};
    std::copy(bytes.begin(), bytes.end(), datagram.begin());
    std::size_t size = bytes.size();
    const bool proved = (what & 1) != 0;
    // The origin is at 24, our transmit timestamp at 40.
    if ((what & 2) != 0) std::copy_n(&sent[40], 8, &datagram[24]);
    if (proved) {
      std::array<std::byte, wire::ntp::kHeaderSize> header{};
      std::copy_n(datagram.begin(), header.size(), header.begin());
      ByteWriter writer(datagram);
      writer.bytes(header);
      CHECK(proof.protect(writer, random));
      size = kProved;
    }
    tick((what >> 3) * 2000);
    check(Bytes(datagram).first(size), proved);
  }
  void check(Bytes datagram, bool proved) {
    const bool waited = exchange.waiting();
    const ntp::ReplyRx rx{now, now.raw, ntp::StampSource::kKernel, Duration()};
    const ntp::Reply reply = exchange.handle_datagram(rx, datagram, proof);
    if (reply.broadcast || ntp::is_answer(reply.reason)) CHECK(proved);
    if (reply.has_times) CHECK(reply.sample.delay > Duration());
    if (reply.reason == ntp::ReplyReason::kAccepted) CHECK(reply.has_times);
    const bool asked = ntp::is_answer(reply.reason) && !reply.broadcast;
    if (asked) CHECK(waited && !known);
    if (reply.broadcast) heard(datagram, reply, waited);
    if (asked && reply.reason == ntp::ReplyReason::kAccepted) {
      answered = reply.sample.offset;
      times.clear();
    }
  }
  void heard(Bytes datagram, const ntp::Reply& reply, bool waited) {
    CHECK(exchange.waiting() == waited);
    ByteReader reader(datagram.subspan(40));
    CHECK(times.insert(reader.u64()).second);
    if (reply.reason != ntp::ReplyReason::kAccepted || known) return;
    CHECK(answered.has_value());
    // 64 steps of at most a minute: 65 parts in a million of an hour and a bit are below a second.
    CHECK((reply.sample.offset - *answered).abs() < reply.sample.delay + Duration::seconds(1));
  }

  bool known;
  ntp::BroadcastExchange exchange;
  ntp::TestProof proof;
  ntp::RandomStream random{SiphashKey{3, 4}};
  ntp::LocalTime now{MonoTime::from_ns(1), UnixTime::from_seconds(1'790'000'000)};
  std::array<std::byte, 128> sent{};
  std::set<std::uint64_t> times;  // of broadcasts since the last answer
  std::optional<Duration> answered;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Fuzz fuzz((input.u8() & 1) != 0);
  fuzz.start();
  constexpr int kMaxSteps = 64;
  for (int step = 0; step < kMaxSteps && input.ok() && input.remaining() > 0; ++step) {
    const unsigned what = input.u8();
    if (what < 0x10) {
      fuzz.start();
    } else if (what < 0x18) {
      const UnixTime sent = fuzz.now.raw - Duration::milliseconds(what);
      fuzz.exchange.handle_transmit_timestamp({sent, ntp::StampSource::kKernel, Duration()});
    } else if (what < 0x1a) {
      fuzz.exchange.handle_clock_step();
    } else if (what < 0x1c) {
      fuzz.exchange.forget_previous();
    } else {
      fuzz.receive(input, what);
    }
  }
  return 0;
}
