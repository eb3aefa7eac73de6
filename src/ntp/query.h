// Query: asks a server once. The caller sends the request that start() wrote from a fresh socket,
// hands in every datagram that comes back, and gives up when its own timeout is over. Nobody steers
// the clock meanwhile: raw time is the system clock, and a step that somebody else makes is noticed
// by the two clocks' advances.
#pragma once

#include <array>

#include "ntp/exchange.h"

namespace timepool::ntp {

class Query {
 public:
  explicit Query(const ExchangeConfig& config = {}) : exchange_(config) {}

  // The request to send; it stays valid until the next call. Each call is a new attempt.
  Bytes start(LocalTime now, RandomStream& random);
  void handle_transmit_timestamp(const TransmitStamp& stamp) {
    exchange_.handle_transmit_timestamp(stamp);
  }
  // Judges a datagram. With is_answer(reply.reason) the query is over and reply.sample holds what
  // the server said, with offset and delay where reply.has_times. Any other reason is a datagram to
  // ignore.
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram);
  // False once an answer came.
  bool waiting() const { return exchange_.waiting(); }

 private:
  Exchange exchange_;
  LocalTime started_;
  NoAuthentication authenticator_;
  std::array<std::byte, wire::ntp::kHeaderSize> request_{};
};

}  // namespace timepool::ntp
