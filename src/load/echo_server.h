// A server that sends every datagram back as it came (or a little longer, as an answer of DNS is),
// with recvmmsg and sendmmsg: what the sockets of this machine allow a server with no work of its
// own to do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"

namespace timepool::load {

inline constexpr int kMaxDnsAnswer = 1024;

struct EchoOptions {
  Endpoint listen;
  Duration duration = Duration::seconds(30);  // ends by itself, at most one hour
  std::optional<int> cpu;
  // As a DNS server answers: the QR bit set and so many octets more, at most kMaxDnsAnswer.
  std::optional<int> dns_answer;
  bool allow_private = false;  // see check_target
};

// Runs until `duration` has passed or `stopping` (asked a few times a second) says so; calls
// `ready` with the bound address once it listens. The datagrams sent back. Errors: as check_target,
// and what the system says.
Result<std::uint64_t> serve_echo(const EchoOptions& options, const std::function<bool()>& stopping,
                                 const std::function<void(const Endpoint&)>& ready);

}  // namespace timepool::load
