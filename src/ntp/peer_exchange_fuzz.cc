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
#include "ntp/exchange_fuzzing.h"
#include "ntp/peer_exchange.h"
#include "ntp/peer_test_support.h"

namespace {

using namespace timepool;

struct Fuzz {
  void start() {
    ByteWriter writer(sent);
    CHECK(exchange.start(time.pass(1000), 6, random, proof, writer));
    CHECK(exchange.waiting());
    CHECK(writer.size() == ntp::FuzzDatagram::kProvedSize);
  }
  bool other(unsigned what) {
    if (what >= 0x1a) return false;
    exchange.handle_clock_step();
    return true;
  }
  void receive(ByteReader& input, unsigned what) {
    ntp::FuzzDatagram datagram = ntp::FuzzDatagram::read(input);
    const bool proved = (what & 1) != 0;
    if ((what & 2) != 0) datagram.answer(sent);
    if (proved) datagram.prove(proof, random);
    const bool waited = exchange.waiting();
    const bool names_ours = datagram.answers(sent);
    const ntp::LocalTime now = time.pass(what >> 3);
    const ntp::ReplyRx rx{now, now.raw, ntp::StampSource::kKernel, Duration()};
    const ntp::Reply reply = exchange.handle_datagram(rx, datagram.bytes(), proof);
    CHECK(exchange.waiting() == (waited && !ntp::is_answer(reply.reason)));
    if (ntp::is_answer(reply.reason)) CHECK(waited && proved && names_ours);
    if (reply.reason == ntp::ReplyReason::kPeerUnasked) CHECK(proved);
    if (reply.reason == ntp::ReplyReason::kAccepted) CHECK(reply.has_times);
    if (reply.has_times) CHECK(reply.sample.delay > Duration());
  }

  ntp::PeerExchange exchange{ntp::ExchangeConfig{}, std::make_shared<ntp::OwnClock>()};
  ntp::TestProof proof;
  ntp::RandomStream random{SiphashKey{3, 4}};
  ntp::FuzzTime time;
  std::array<std::byte, 128> sent{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Fuzz fuzz;
  ntp::run_steps(input, fuzz);
  return 0;
}
