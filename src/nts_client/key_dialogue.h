// KeyDialogue: what is said in a key establishment once TLS is there (RFC 8915 4): the request's
// records, and what the response's mean.
#pragma once

#include <optional>

#include "net/tls_exchange.h"
#include "nts/ke_client.h"

namespace timepool::nts_client {

class KeyDialogue final : public net::TlsDialogue {
 public:
  explicit KeyDialogue(const nts::KeClientConfig& config) : client(config) {}

  Bytes question(const net::TlsSession&) override { return client.request(); }
  bool handle_answer(Bytes octets, const net::TlsSession& session) override {
    nts::SessionExporter keys(session);
    answer = client.feed(octets, keys);
    return answer.has_value();
  }

  nts::KeClient client;
  // Nothing while the response is not there as a whole.
  std::optional<Result<nts::Establishment, nts::KeClientError>> answer;
};

}  // namespace timepool::nts_client
