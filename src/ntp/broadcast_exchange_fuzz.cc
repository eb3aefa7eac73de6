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
#include "ntp/exchange_fuzzing.h"
#include "ntp/peer_test_support.h"

namespace {

using namespace timepool;

constexpr Duration kWay = Duration::milliseconds(2);

struct Fuzz {
  explicit Fuzz(bool way_known)
      : known(way_known),
        exchange(ntp::ExchangeConfig{}, way_known ? kWay : Duration(),
                 std::make_shared<ntp::OwnClock>()) {}

  void start() {
    ByteWriter writer(sent);
    const bool asked = exchange.start(time.pass(1000), 10, random, proof, writer);
    CHECK(asked == !known && exchange.waiting() == asked);
  }
  bool other(unsigned what) {
    if (what >= 0x1c) return false;
    if (what < 0x1a) {
      exchange.handle_clock_step();
    } else {
      exchange.forget_previous();
    }
    return true;
  }
  void receive(ByteReader& input, unsigned what) {
    ntp::FuzzDatagram datagram = ntp::FuzzDatagram::read(input);
    const bool proved = (what & 1) != 0;
    if ((what & 2) != 0) datagram.answer(sent);
    if (proved) datagram.prove(proof, random);
    time.pass((what >> 3) * 2000);
    check(datagram.bytes(), proved);
  }
  void check(Bytes datagram, bool proved) {
    const bool waited = exchange.waiting();
    const ntp::ReplyRx rx{time.now, time.now.raw, ntp::StampSource::kKernel, Duration()};
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
  ntp::FuzzTime time;
  std::array<std::byte, 128> sent{};
  std::set<std::uint64_t> times;  // of broadcasts since the last answer
  std::optional<Duration> answered;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Fuzz fuzz((input.u8() & 1) != 0);
  ntp::run_steps(input, fuzz);
  return 0;
}
