// ChallengeListener: serves what stands on a ChallengeBoard: HTTP-01 by plain HTTP (one request a
// connection), TLS-ALPN-01 by TLS. On the reactor: no thread, nothing blocks. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/ip.h"
#include "base/result.h"
#include "certificates/challenge_board.h"
#include "net/reactor.h"
#include "net/short_connections.h"
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
  class Request;
  class Handshake;

  std::unique_ptr<net::ShortConnections::Dialogue> begin();

  const ChallengeBoard& board_;
  Kind kind_;
  Counters counters_;
  net::ShortConnections connections_;
};

}  // namespace timepool::certificates
