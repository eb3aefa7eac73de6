// Any datagram to a client that waits: no crash, and only one with our origin ends the exchange.
#include <array>
#include <cstdint>

#include "base/check.h"
#include "ntp/exchange.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  if (size < 1) return 0;
  ntp::Exchange exchange{ntp::ExchangeConfig{}};
  ntp::NoAuthentication authenticator;
  ntp::RandomStream random(SiphashKey{3, 4});
  const ntp::LocalTime now{MonoTime::from_ns(1), UnixTime::from_seconds(1'790'000'000)};
  std::array<std::byte, wire::ntp::kHeaderSize> request{};
  ByteWriter writer(request);
  CHECK(exchange.start(now, random, authenticator, writer));
  // The first octet says whether the origin is made right: no input guesses 64 random bits.
  std::array<std::byte, 2048> datagram{};
  const std::size_t length = size - 1 < datagram.size() ? size - 1 : datagram.size();
  for (std::size_t i = 0; i < length; ++i) datagram[i] = static_cast<std::byte>(data[i + 1]);
  const bool right = (data[0] & 1) != 0 && length >= wire::ntp::kHeaderSize;
  for (std::size_t i = 0; right && i < 8; ++i) datagram[24 + i] = request[40 + i];
  const ntp::Reply reply =
      exchange.handle_datagram({now, now.raw}, Bytes(datagram).first(length), authenticator);
  CHECK(!ntp::name_of(reply.reason).empty());
  CHECK(exchange.waiting() == !ntp::is_answer(reply.reason));
  if (!right) CHECK(exchange.waiting());
  if (reply.has_times) CHECK(reply.sample.delay > Duration());
  return 0;
}
