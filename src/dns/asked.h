// What an answer depends on besides the bytes of the query: where it came from, what is served, and
// what the worker that answers it keeps from one query to the next.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/ip.h"
#include "base/prng.h"
#include "dns/compiled/compiled.h"
#include "dns/cookie.h"
#include "dns/signed/online_signer.h"
#include "dns/signed/signed_zones.h"
#include "wire/dns/query.h"

namespace timepool::dns {

// What is known of a datagram besides its bytes.
struct Rx {
  IpAddress source;
  bool tcp = false;
  std::uint32_t now = 0;   // Unix seconds modulo 2^32, for cookies
  bool encrypted = false;  // by TLS, and by TCP then: answers are padded for who asks
  // What RFC 7828's option says of this connection, in tenths of a second, instead of the settings.
  std::optional<std::uint16_t> keepalive = std::nullopt;
};

struct ResponderSettings {
  // RFC 5001, and the answer to id.server; empty: neither is answered. At most kMaxIdentity bytes.
  std::string identity;
  std::string version;  // the answer to version.bind; empty: refused. At most kMaxIdentity bytes.
  CookieSecrets cookies;
  // The largest reply by UDP, whatever the client says that it takes (DNS flag day 2020).
  std::uint16_t max_udp = 1232;
  // The same for clients without a good cookie, at least 512; 0: max_udp.
  std::uint16_t max_udp_without_cookie = 0;
  // What RFC 7828's option says of idle TCP connections, in tenths of a second; 0: nothing.
  std::uint16_t tcp_keepalive = 0;
  // Signatures that a worker makes in a second while it answers (online_signer.h), for clients
  // whose address is proven and for others each.
  std::uint32_t online_signatures = 1000;
};
// So that the smallest limit, 512 bytes, holds a question and every option of ours.
inline constexpr std::size_t kMaxIdentity = 100;

// What answers are made from: the same for all workers, borrowed for one call.
struct Served {
  const CompiledZones& zones;
  const ResponderSettings& settings;
  const SignedZones* signed_zones = nullptr;  // of `zones`; nullptr: nothing is signed
};

// The records that were drawn last from a weighted set, by their number in it.
struct HandedOut {
  std::uint32_t count = 0;
  std::array<std::uint32_t, kMaxTake> records;  // the first `count` are written

  std::span<const std::uint32_t> list() const { return std::span(records).first(count); }
};

// One for each thread that answers.
struct Worker {
  explicit Worker(std::uint64_t seed) : prng(seed), signer(prng.next()) {}
  Prng prng;
  HandedOut handed;  // in the answer itself; only a set that Outcome names is newly written
  HandedOut added;   // in the additional section
  OnlineSigner signer;
};

// A query that parsed, with everything that its answer depends on.
struct Asked {
  const Rx& rx;
  const wire::dns::Query& query;
  const Served& served;
  Worker& worker;
  CheckedCookie cookie;
};

}  // namespace timepool::dns
