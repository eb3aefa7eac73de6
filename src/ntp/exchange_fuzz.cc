// Any sequence of requests and datagrams: no crash, and only one with our origin ends the exchange.
//
// The input is a list of steps: an octet that says what, and for a datagram its length (two octets)
// and octets. No input guesses 64 random bits, so the step says whether the origin is made right.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/exchange.h"
#include "ntp/exchange_fuzzing.h"

namespace {

using namespace timepool;

// Of the receive timestamp in a header: interleaved mode names it.
constexpr std::size_t kReceive = 32;

struct Fuzz {
  explicit Fuzz(bool interleaved) {
    ntp::ExchangeConfig config;
    config.interleaved = interleaved;
    exchange = ntp::Exchange(config);
  }

  void start() {
    ByteWriter writer(request);
    CHECK(exchange.start(time.pass(1000), random, authenticator, writer));
    CHECK(exchange.waiting());
  }
  bool other(unsigned what) {
    if (what >= 0x1a) return false;
    exchange.abandon();
    return true;
  }
  void receive(ByteReader& input, unsigned what) {
    using ntp::FuzzDatagram;
    FuzzDatagram datagram = FuzzDatagram::read(input);
    const bool right = (what & 1) != 0 && datagram.size >= wire::ntp::kHeaderSize;
    if (right) datagram.answer(request, (what & 2) != 0 ? kReceive : FuzzDatagram::kTransmit);
    const bool matches = datagram.answers(request) || datagram.answers(request, kReceive);
    const bool waited = exchange.waiting();
    const ntp::LocalTime now = time.pass(what >> 3);
    const ntp::ReplyRx rx{now, now.raw, ntp::StampSource::kKernel, Duration()};
    const ntp::Reply reply = exchange.handle_datagram(rx, datagram.bytes(), authenticator);
    CHECK(!ntp::name_of(reply.reason).empty());
    CHECK(exchange.waiting() == (waited && !ntp::is_answer(reply.reason)));
    if (ntp::is_answer(reply.reason)) CHECK(waited && matches);
    if (reply.reason == ntp::ReplyReason::kAccepted) CHECK(reply.has_times);
    if (reply.has_times) CHECK(reply.sample.delay > Duration());
  }

  ntp::Exchange exchange{ntp::ExchangeConfig{}};
  ntp::NoAuthentication authenticator;
  ntp::RandomStream random{SiphashKey{3, 4}};
  ntp::FuzzTime time;
  std::array<std::byte, wire::ntp::kHeaderSize> request{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Fuzz fuzz((input.u8() & 1) != 0);
  ntp::run_steps(input, fuzz);
  return 0;
}
