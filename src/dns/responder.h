// The answer to one DNS datagram: any bytes in, at most one reply out, never longer than the limit
// that the client set, exactly one reason. No allocation, no locks: any number of workers may call
// respond() on one CompiledZones, each with its own Prng.
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/prng.h"
#include "base/siphash.h"
#include "dns/compiled.h"
#include "dns/reason.h"
#include "wire/dns/constants.h"

namespace timepool::dns {

// What is known of a datagram besides its bytes.
struct Rx {
  IpAddress source;
  bool tcp = false;
  std::uint32_t now = 0;  // Unix seconds modulo 2^32, for cookies
};

struct ResponderSettings {
  // RFC 5001, and the answer to id.server; empty: neither is answered. At most kMaxIdentity bytes.
  std::string identity;
  std::string version;  // the answer to version.bind; empty: refused. At most kMaxIdentity bytes.
  SiphashKey cookie_secret{};
  // The largest reply by UDP, whatever the client says that it takes (DNS flag day 2020).
  std::uint16_t max_udp = 1232;
  // What RFC 7828's option says of idle TCP connections, in tenths of a second; 0: nothing.
  std::uint16_t tcp_keepalive = 0;
};
// So that the smallest limit, 512 bytes, holds a question and every option of ours.
inline constexpr std::size_t kMaxIdentity = 100;

enum class Verdict : std::uint8_t { kReply, kDrop };

struct Outcome {
  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kDroppedShort;
  wire::dns::Rcode rcode = wire::dns::Rcode::kNoError;
  wire::dns::RrType type{};    // of the question; 0: there is none
  std::uint16_t length = 0;    // of the reply
  bool client_subnet = false;  // the client sent one
};

// `out` must have room for 512 bytes by UDP and 65535 by TCP at the least (CHECKs 512); the reply
// is no longer than `out`, whatever the client takes.
Outcome respond(const Rx& rx, Bytes datagram, const CompiledZones& zones,
                const ResponderSettings& settings, Prng& prng, MutableBytes out);

// Which record set an address is sent to, for people: `timepool dns lookup`.
struct Explanation {
  bool in_zone = false;
  std::string zone;
  ClientClass client;  // what the zone's labels see of the address
  int scope = 0;       // the widest network with the same answers
  std::string label;   // where the records come from; empty: no data
  std::uint32_t records = 0;
  std::uint32_t taken = 0;
};
Explanation explain(const CompiledZones& zones, wire::dns::NameView name, wire::dns::RrType type,
                    const IpAddress& address);

}  // namespace timepool::dns
