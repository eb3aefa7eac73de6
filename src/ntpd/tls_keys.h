// TlsKeys: the exporter of a TLS session as key establishment wants it (nts/key_exporter.h).
#pragma once

#include "net/tls_session.h"
#include "nts/key_exporter.h"

namespace timepool::ntpd {

class TlsKeys final : public nts::KeyExporter {
 public:
  // The session must outlive it.
  explicit TlsKeys(const net::TlsSession& session) : session_(session) {}
  bool export_key(std::string_view label, Bytes context, MutableBytes out) override {
    return session_.export_key(label, context, out);
  }

 private:
  const net::TlsSession& session_;
};

}  // namespace timepool::ntpd
