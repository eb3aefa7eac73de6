#include "load/key_asking.h"

#include <optional>
#include <utility>

#include "base/check.h"
#include "net/reactor.h"
#include "net/tls_exchange.h"

namespace timepool::load {
namespace {

// The records behind the TLS connection.
class KeyDialogue final : public net::TlsDialogue {
 public:
  explicit KeyDialogue(const KeyPeer& peer) : client_(messages_for(peer)) {}

  Bytes question(const net::TlsSession&) override { return client_.request(); }
  bool handle_answer(Bytes octets, const net::TlsSession& session) override {
    nts::SessionExporter keys(session);
    answer = client_.feed(octets, keys);
    return answer.has_value();
  }

  std::optional<Result<nts::Establishment, nts::KeClientError>> answer;

 private:
  nts::KeClient client_;
};

}  // namespace

nts::KeClientConfig messages_for(const KeyPeer& peer) {
  nts::KeClientConfig out;
  if (peer.gcm_siv) CHECK(out.aeads.push_back(AeadId::kAes128GcmSiv));
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  return out;
}

Result<std::shared_ptr<const net::TlsClientContext>> context_for(const KeyPeer& peer) {
  net::TlsClientOptions tls;
  if (peer.authority.empty()) {
    // Nobody's key, which is not enforced.
    tls.pins = {net::KeyHash{}};
    tls.pins_suffice = true;
  } else {
    tls.ca_files = {peer.authority};
  }
  return net::TlsClientContext::create(std::move(tls));
}

Result<nts::Establishment> establish_keys(const KeyPeer& peer, Duration timeout) {
  net::TlsExchangeRequest request;
  request.server = peer.server;
  request.peer = {peer.name, {}, !peer.authority.empty()};
  request.context = TRY(context_for(peer));
  request.timeout = timeout;
  KeyDialogue dialogue(peer);
  net::Reactor reactor;
  std::optional<net::TlsExchangeResult> result;
  const net::TlsExchange exchange(reactor, request, dialogue,
                                  [&](const net::TlsExchangeResult& it) { result = it; });
  while (!result) reactor.run_once();
  const auto none = [&](std::string why) {
    return fail(Error{ErrorCode::kUnavailable, "key establishment with " + format(peer.server),
                      std::move(why)});
  };
  if (!dialogue.answer) return none(result->text);
  if (!dialogue.answer->ok()) return none(std::string(nts::describe(dialogue.answer->error())));
  return std::move(*dialogue.answer).value();
}

}  // namespace timepool::load
