// Whether a client believes a server's certificate: chain, name, dates, pinned keys. For
// src/net/tls_*.cc only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/ip.h"
#include "net/tls_context.h"
#include "net/tls_fault.h"

struct x509_store_ctx_st;

namespace timepool::net {

// One session's, which OpenSSL finds by the session's application data.
struct TlsVerification {
  const TlsClientOptions* options = nullptr;
  TlsDates dates;
  std::string name;                  // a host's, without a final dot; or
  std::optional<IpAddress> address;  // as which it was configured
  bool enforced = true;              // else a fault is told only
  TlsFault fault = TlsFault::kNone;
  std::string detail;
  std::unique_ptr<CertificateInfo> certificate;  // as soon as it was shown
};

// OpenSSL's callback for it: 1 when the handshake may go on.
int verify_server(x509_store_ctx_st* store, void* unused);

}  // namespace timepool::net
