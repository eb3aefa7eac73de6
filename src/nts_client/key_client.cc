#include "nts_client/key_client.h"

#include <utility>

#include "nts_client/key_dialogue.h"

namespace timepool::nts_client {
namespace {

KeyOutcome outcome_of(net::TlsExchangeEnd end) {
  switch (end) {
    case net::TlsExchangeEnd::kAnswered:
      return KeyOutcome::kRecords;
    case net::TlsExchangeEnd::kRefused:
      return KeyOutcome::kRefused;
    case net::TlsExchangeEnd::kUnreachable:
      return KeyOutcome::kUnreachable;
    case net::TlsExchangeEnd::kTimeout:
      return KeyOutcome::kTimeout;
    case net::TlsExchangeEnd::kTls:
      return KeyOutcome::kTls;
    case net::TlsExchangeEnd::kEnded:
      return KeyOutcome::kEnded;
    case net::TlsExchangeEnd::kSystem:
      break;
  }
  return KeyOutcome::kSystem;
}

std::string_view name_of(KeyOutcome outcome) {
  constexpr std::array<std::string_view, kKeyOutcomeCount> kNames{
      "established", "refused", "unreachable", "timeout", "tls", "ended", "record", "system"};
  return kNames.at(static_cast<std::size_t>(outcome));
}

}  // namespace

std::string label_of(const KeyResult& result) {
  std::string out(name_of(result.outcome));
  if (result.outcome == KeyOutcome::kTls) out += "_" + std::string(net::name_of(result.tls_fault));
  if (result.outcome == KeyOutcome::kRecords && result.record_error) {
    out += "_" + std::string(nts::name_of(*result.record_error));
  }
  return out;
}

// The records' machine behind one connection.
struct KeyClient::Exchange {
  Exchange(const nts::KeClientConfig& records, Done whom)
      : dialogue(records), done(std::move(whom)) {}

  KeyDialogue dialogue;
  Done done;
  std::unique_ptr<net::TlsExchange> connection;
};

KeyClient::KeyClient(net::Reactor& reactor, Duration timeout, std::size_t max_at_once)
    : reactor_(reactor), timeout_(timeout), max_at_once_(max_at_once) {}

KeyClient::~KeyClient() = default;

std::optional<KeyClient::Id> KeyClient::start(KeyRequest request, Done done) {
  if (exchanges_.size() >= max_at_once_) return std::nullopt;
  const Id id = next_++;
  auto exchange = std::make_unique<Exchange>(request.records, std::move(done));
  exchange->connection = std::make_unique<net::TlsExchange>(
      reactor_,
      net::TlsExchangeRequest{request.server, std::move(request.peer), std::move(request.tls),
                              timeout_},
      exchange->dialogue, [this, id](const net::TlsExchangeResult& result) { finish(id, result); });
  exchanges_.emplace(id, std::move(exchange));
  return id;
}

void KeyClient::cancel(Id id) {
  exchanges_.erase(id);
}

void KeyClient::finish(Id id, const net::TlsExchangeResult& result) {
  auto node = exchanges_.extract(id);
  CHECK(!node.empty());
  Exchange& exchange = *node.mapped();
  KeyResult out;
  out.outcome = outcome_of(result.end);
  out.tls_fault = result.fault;
  out.text = result.text;
  out.certificate = result.certificate;
  out.step = result.step;
  out.connected = result.connected;
  out.opened = result.opened;
  out.total = result.total;
  auto& answer = exchange.dialogue.answer;
  if (answer && answer->ok()) {
    out.outcome = KeyOutcome::kEstablished;
    out.establishment = std::move(**answer);
  } else if (answer) {
    out.record_error = answer->error();
    out.error_code = exchange.dialogue.client.error_code();
    out.text = nts::describe(*out.record_error);
  }
  exchange.done(out);
}

}  // namespace timepool::nts_client
