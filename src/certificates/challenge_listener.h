// ChallengeListener: serves what stands on a ChallengeBoard: HTTP-01 by plain HTTP (one request a
// connection), TLS-ALPN-01 by TLS. On the reactor: no thread, nothing blocks. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "certificates/challenge_board.h"
#include "net/acceptor.h"
#include "net/reactor.h"
#include "net/tls_session.h"
#include "sys/fd.h"

namespace timepool::certificates {

class ChallengeListener {
 public:
  enum class Kind : std::uint8_t { kHttp, kTls };
  // One more ends the oldest: an authority looks from some places at once.
  static constexpr std::size_t kMaxConnections = 64;
  static constexpr Duration kIdle = Duration::seconds(10);

  // A socket that listens at `endpoint`; port 0 takes any free one. To be made before privileges
  // are given up. Errors: the address and why.
  static Result<sys::Fd> bind(const Endpoint& endpoint);

  // `board` outlives it; `listener` is bind()'s.
  ChallengeListener(net::Reactor& reactor, const ChallengeBoard& board, Kind kind,
                    sys::Fd listener);
  ~ChallengeListener();
  ChallengeListener(const ChallengeListener&) = delete;
  ChallengeListener& operator=(const ChallengeListener&) = delete;

  // With its real port.
  Endpoint endpoint() const;
  struct Counters {
    std::uint64_t connections = 0;
    // Of HTTP, by what was answered.
    std::array<std::uint64_t, acme::kChallengeReasonCount> answers{};
    // Of TLS: names proved, and what came to nothing.
    std::uint64_t handshakes = 0;
    std::uint64_t refused = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  struct Connection;
  using Connections = std::list<std::unique_ptr<Connection>>;

  void take(sys::Fd fd);
  void on_ready(Connections::iterator at, short ready);
  bool receive(Connection& connection);
  void take_http(Connection& connection);
  void take_tls(Connection& connection, Bytes octets);
  bool send_some(Connection& connection);
  void close_idle();

  net::Reactor& reactor_;
  const ChallengeBoard& board_;
  Kind kind_;
  net::Acceptor acceptor_;
  net::Timer idle_timer_;
  Connections connections_;  // the oldest first
  Counters counters_;
};

}  // namespace timepool::certificates
