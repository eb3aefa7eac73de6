// What a TLS server shows to a client that offers one application protocol and believes anything:
// to look at servers, as authorities of ACME do (RFC 8737 3), never to talk with them. TLS 1.2 will
// do. Blocks, within a time; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "net/tls_certificate.h"
#include "net/tls_fault.h"

namespace timepool::net {

struct TlsLook {
  Endpoint server;
  std::string name;      // that the server is asked for (SNI); a host's
  std::string protocol;  // the only one that is offered, 1 to 255 octets
  Duration timeout = Duration::seconds(10);
  int cancel_fd = -1;  // ends the look once it can be read; -1: none
};

enum class TlsLookEnd : std::uint8_t {
  kShown,        // the handshake was done
  kRefused,      // nobody listens there
  kUnreachable,  // no way there
  kTimeout,
  kEnded,  // the server ended the connection before it had shown anything
  kTls,    // see `fault`
  kSystem,
  kCancelled,
};

struct TlsSight {
  TlsLookEnd end = TlsLookEnd::kSystem;
  TlsFault fault = TlsFault::kNone;  // of kTls
  // For a person, unless kShown: "Connection refused", what the server's alert says.
  std::string text;
  std::string protocol;  // that the server chose; "" for none
  // What it showed; nothing unless kShown.
  std::optional<CertificateInfo> certificate;
  std::vector<std::byte> der;  // the same, whole
};

TlsSight look_at_tls(const TlsLook& look);

}  // namespace timepool::net
