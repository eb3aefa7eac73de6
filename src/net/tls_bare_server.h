// The least that a server of TLS can do, by the same library and with the same settings as ours:
// one connection after the other, accepted, shaken hands with, read to its end and closed. What a
// machine's TLS allows a server with no work of its own to do: the ceiling of benchmarks.
#pragma once

#include <cstdint>
#include <memory>

#include "base/duration.h"
#include "base/result.h"
#include "net/tls_context.h"

namespace timepool::net {

// Serves the connections of `listener`, which blocks, until `duration` is over and one more came,
// or accepting fails; how many handshakes were done.
std::uint64_t serve_bare_tls(int listener, const TlsServerContext& context, Duration duration);

}  // namespace timepool::net
