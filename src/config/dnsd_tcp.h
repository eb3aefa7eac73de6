// [tcp] of timepool-dnsd: connections of DNS over TCP, and what bounds connections of any kind.
#pragma once

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

// Of one transport: with 64 workers of UDP all of them may read what is served at a time
// (net::Published::kMaxReaders, 128).
inline constexpr unsigned kMaxStreamThreads = 24;

// Bounds of the connections of one transport.
struct DnsdConnectionsConfig {
  unsigned threads = 1;
  unsigned max_connections = 16'384;
  unsigned max_per_client = 128;
  unsigned max_per_network = 1024;
  Duration idle_timeout = Duration::seconds(10);
  bool operator==(const DnsdConnectionsConfig&) const = default;
};

struct DnsdTcpConfig : DnsdConnectionsConfig {
  bool operator==(const DnsdTcpConfig&) const = default;
};

Schema<DnsdTcpConfig> dnsd_tcp_schema();

// The settings of DnsdConnectionsConfig, of which C is one.
template <class C>
void add_connections_fields(Schema<C>& schema) {
  const auto member = [](auto it) { return static_cast<unsigned C::*>(it); };
  using Base = DnsdConnectionsConfig;
  schema
      .field("threads", member(&Base::threads), integer(1u, kMaxStreamThreads),
             "Threads that serve these connections, beside those of UDP.")
      .field("max_connections", member(&Base::max_connections), integer(1u, 1'048'576u),
             "Connections at one time. When one more comes, the one that was idle longest is "
             "closed. Fewer when the system allows fewer descriptors.")
      .field("max_per_client", member(&Base::max_per_client), integer(1u, 1'048'576u),
             "Connections of one address (of IPv6: of 64 bits of it) at one time; further ones are "
             "closed at once.")
      .field("max_per_network", member(&Base::max_per_network), integer(1u, 1'048'576u),
             "The same for a network: 24 bits of IPv4, 48 of IPv6.")
      .field("idle_timeout", static_cast<Duration C::*>(&Base::idle_timeout),
             duration(Duration::milliseconds(100), Duration::seconds(3600)),
             "A connection is closed when it is this long since it brought a whole query or took "
             "some of an answer. Less and less, down to a tenth, while more than half of "
             "`max_connections` are open. Clients that ask are told (RFC 7828).");
}

}  // namespace timepool::config
