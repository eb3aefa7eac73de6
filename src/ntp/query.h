// Query: asks a server once, in plain or with proof. The caller sends the request that start()
// wrote from a fresh socket, hands in every datagram that comes back, and gives up when its own
// timeout is over. Nobody steers the clock meanwhile: raw time is the system clock, and a step that
// somebody else makes is noticed by the two clocks' advances.
#pragma once

#include <array>

#include "ntp/exchange.h"

namespace timepool::ntp {

class Query {
 public:
  // Octets of the longest request: what UDP carries over every IPv6 path (1,280 - 40 - 8).
  static constexpr std::size_t kMaxRequest = 1232;

  explicit Query(const ExchangeConfig& config = {}) : exchange_(config) {}
  // Only what `authenticator` finds authentic is an answer. It must outlive the query.
  Query(const ExchangeConfig& config, Authenticator& authenticator)
      : exchange_(config), authenticator_(authenticator) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // The request to send; it stays valid until the next call. Each call is a new attempt. Empty when
  // the authenticator has nothing to prove it by.
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
  NoAuthentication plain_;
  Authenticator& authenticator_ = plain_;
  std::array<std::byte, kMaxRequest> request_{};
};

}  // namespace timepool::ntp
