// Any sequence of requests and datagrams: no crash, and only one with our origin ends the exchange.
//
// The input is a list of steps: an octet that says what, and for a datagram its length (two octets)
// and octets. No input guesses 64 random bits, so the step says whether the origin is made right.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/exchange.h"

namespace {

using namespace timepool;

constexpr std::size_t kMaxDatagram = 2048;

struct Fuzz {
  explicit Fuzz(bool interleaved) {
    ntp::ExchangeConfig config;
    config.interleaved = interleaved;
    exchange = ntp::Exchange(config);
  }

  ntp::LocalTime tick(unsigned milliseconds) {
    const Duration span = Duration::milliseconds(milliseconds);
    now = {now.mono + span, now.raw + span};
    return now;
  }
  void start() {
    ByteWriter writer(request);
    CHECK(exchange.start(tick(1000), random, authenticator, writer));
    CHECK(exchange.waiting());
  }
  void receive(ByteReader& input, unsigned what) {
    const std::size_t length = input.u16() % kMaxDatagram;
    const Bytes bytes = input.bytes(length);
    std::array<std::byte, kMaxDatagram> datagram{};
    for (std::size_t i = 0; i < bytes.size(); ++i) datagram[i] = bytes[i];
    // The origin is at 24; the request's transmit timestamp at 40, its receive timestamp at 32.
    const bool right = (what & 1) != 0 && bytes.size() >= wire::ntp::kHeaderSize;
    const std::size_t from = (what & 2) != 0 ? 32 : 40;
    for (std::size_t i = 0; right && i < 8; ++i) datagram[24 + i] = request[from + i];
    const auto has_origin = [&](std::size_t at) {
      return bytes.size() >= wire::ntp::kHeaderSize &&
             std::equal(&request[at], &request[at] + 8, &datagram[24]);
    };
    const bool matches = has_origin(40) || has_origin(32);
    const bool waited = exchange.waiting();
    tick(what >> 3);
    const ntp::ReplyRx rx{now, now.raw, ntp::StampSource::kKernel, Duration()};
    const ntp::Reply reply =
        exchange.handle_datagram(rx, Bytes(datagram).first(bytes.size()), authenticator);
    CHECK(!ntp::name_of(reply.reason).empty());
    CHECK(exchange.waiting() == (waited && !ntp::is_answer(reply.reason)));
    if (ntp::is_answer(reply.reason)) CHECK(waited && matches);
    if (reply.reason == ntp::ReplyReason::kAccepted) CHECK(reply.has_times);
    if (reply.has_times) CHECK(reply.sample.delay > Duration());
  }

  ntp::Exchange exchange{ntp::ExchangeConfig{}};
  ntp::NoAuthentication authenticator;
  ntp::RandomStream random{SiphashKey{3, 4}};
  ntp::LocalTime now{MonoTime::from_ns(1), UnixTime::from_seconds(1'790'000'000)};
  std::array<std::byte, wire::ntp::kHeaderSize> request{};
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
      fuzz.exchange.abandon();
    } else {
      fuzz.receive(input, what);
    }
  }
  return 0;
}
