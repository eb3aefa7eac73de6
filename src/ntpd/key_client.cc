#include "ntpd/key_client.h"

#include <utility>

namespace timepool::ntpd {
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
struct KeyClient::Exchange final : net::TlsDialogue {
  Exchange(const nts::KeClientConfig& records, Done whom)
      : client(records), done(std::move(whom)) {}

  Bytes question(const net::TlsSession&) override { return client.request(); }
  bool handle_answer(Bytes octets, const net::TlsSession& session) override {
    nts::SessionExporter keys(session);
    answer = client.feed(octets, keys);
    return answer.has_value();
  }

  nts::KeClient client;
  Done done;
  std::optional<Result<nts::Establishment, nts::KeClientError>> answer;
  std::unique_ptr<net::TlsExchange> connection;
};

KeyClient::KeyClient(net::Reactor& reactor, Duration timeout)
    : reactor_(reactor), timeout_(timeout) {}

KeyClient::~KeyClient() = default;

std::optional<KeyClient::Id> KeyClient::start(KeyRequest request, Done done) {
  if (exchanges_.size() >= kMaxAtOnce) return std::nullopt;
  const Id id = next_++;
  auto exchange = std::make_unique<Exchange>(request.records, std::move(done));
  exchange->connection = std::make_unique<net::TlsExchange>(
      reactor_,
      net::TlsExchangeRequest{request.server, std::move(request.peer), std::move(request.tls),
                              timeout_},
      *exchange, [this, id](const net::TlsExchangeResult& result) { finish(id, result); });
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
  if (exchange.answer && exchange.answer->ok()) {
    out.outcome = KeyOutcome::kEstablished;
    out.establishment = std::move(**exchange.answer);
  } else if (exchange.answer) {
    out.record_error = exchange.answer->error();
    out.text = nts::describe(*out.record_error);
  }
  exchange.done(out);
}

}  // namespace timepool::ntpd
