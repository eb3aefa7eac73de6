// Any sequence of our packets and datagrams, proved or not: no crash, only what is proved changes
// anything, and only what names our latest is measured, once.
//
// The input is a list of steps: an octet that says what, and for a datagram its length (two octets)
// and octets. No input guesses a MAC or our random bits, so the step says whether the MAC and the
// origin are made right.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/peer_exchange.h"
#include "ntp/peer_test_support.h"

namespace {

using namespace timepool;

constexpr std::size_t kMaxDatagram = 2048;
constexpr std::size_t kProved = wire::ntp::kHeaderSize + 20;

struct Fuzz {
  ntp::LocalTime tick(unsigned milliseconds) {
    const Duration span = Duration::milliseconds(milliseconds);
    now = {now.mono + span, now.raw + span};
    return now;
  }
  void start() {
    ByteWriter writer(sent);
    CHECK(exchange.start(tick(1000), 6, random, proof, writer));
    CHECK(exchange.waiting());
    CHECK(writer.size() == kProved);
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
    const bool waited = exchange.waiting();
    const bool names_ours =
        size >= wire::ntp::kHeaderSize && std::equal(&sent[40], &sent[40] + 8, &datagram[24]);
    tick(what >> 3);
    const ntp::ReplyRx rx{now, now.raw, ntp::StampSource::kKernel, Duration()};
    const ntp::Reply reply = exchange.handle_datagram(rx, Bytes(datagram).first(size), proof);
    CHECK(exchange.waiting() == (waited && !ntp::is_answer(reply.reason)));
    if (ntp::is_answer(reply.reason)) CHECK(waited && proved && names_ours);
    if (reply.reason == ntp::ReplyReason::kPeerUnasked) CHECK(proved);
    if (reply.reason == ntp::ReplyReason::kAccepted) CHECK(reply.has_times);
    if (reply.has_times) CHECK(reply.sample.delay > Duration());
  }

  ntp::PeerExchange exchange{ntp::ExchangeConfig{}, std::make_shared<ntp::OwnClock>()};
  ntp::TestProof proof;
  ntp::RandomStream random{SiphashKey{3, 4}};
  ntp::LocalTime now{MonoTime::from_ns(1), UnixTime::from_seconds(1'790'000'000)};
  std::array<std::byte, 128> sent{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Fuzz fuzz;
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
    } else {
      fuzz.receive(input, what);
    }
  }
  return 0;
}
