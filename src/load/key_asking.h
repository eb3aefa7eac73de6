// What the loads that need keys of NTS share: which messages are said (RFC 8915 4), whom to trust,
// and one key establishment by itself.
#pragma once

#include <memory>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "net/tls_context.h"
#include "net/tls_session.h"
#include "nts/ke_client.h"

namespace timepool::load {

struct KeyPeer {
  Endpoint server;
  std::string name = "localhost";  // that is asked for, and that the certificate must have
  std::string authority;           // a PEM file; empty: any certificate will do
  bool gcm_siv = false;            // offer AES-128-GCM-SIV before AES-SIV-CMAC-256
};

nts::KeClientConfig messages_for(const KeyPeer& peer);
// Errors: what is wrong with the authority's file.
Result<std::shared_ptr<const net::TlsClientContext>> context_for(const KeyPeer& peer);
// By a connection of its own, within `timeout`. Errors: context_for's, and why there are no keys.
Result<nts::Establishment> establish_keys(const KeyPeer& peer, Duration timeout);

}  // namespace timepool::load
