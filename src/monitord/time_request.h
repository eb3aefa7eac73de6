// TimeRequest: one NTP request from a fresh socket with a random port and kernel timestamps where
// there are some, and what came of it, on the reactor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/ip.h"
#include "net/reactor.h"
#include "ntp/query.h"
#include "sys/udp_socket.h"

namespace timepool::monitord {

// `precision`: log2 seconds, of the local clock. Judges what is answered within `timeout`.
ntp::ExchangeConfig exchange_config(std::int8_t precision, Duration timeout);

class TimeRequest {
 public:
  struct End {
    std::optional<ntp::Reply> answer;
    // The system's, or kExhausted when there is nothing to prove a request by. Without an answer
    // and an error nothing came in time.
    std::optional<Error> error;
  };
  using Done = std::function<void(const End&)>;

  explicit TimeRequest(net::Reactor& reactor) : reactor_(reactor) {}
  TimeRequest(const TimeRequest&) = delete;
  TimeRequest& operator=(const TimeRequest&) = delete;

  // Sends the request of `query`, which must stay; what was under way is given up. `done` is called
  // once, maybe from here; it may start the next, but not destroy this.
  void start(const Endpoint& server, Duration timeout, ntp::Query& query, ntp::RandomStream& random,
             Done done);

 private:
  void on_ready();
  void finish(const End& end);

  net::Reactor& reactor_;
  ntp::Query* query_ = nullptr;
  Done done_;
  std::optional<sys::UdpSocket> socket_;
  net::Watch watch_;
  net::Timer timer_;
};

}  // namespace timepool::monitord
