#include "certificates/challenge_listener.h"

#include <string_view>
#include <utility>

#include "net/tls_session.h"
#include "sys/stream_socket.h"

namespace timepool::certificates {
namespace {

constexpr int kBacklog = 64;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

}  // namespace

// HTTP-01 (RFC 8555 8.3): one request, one answer.
class ChallengeListener::Request final : public net::ShortConnections::Dialogue {
 public:
  explicit Request(ChallengeListener& listener) : listener_(listener) {}
  bool take(Bytes octets, std::string& out) override {
    head_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    const std::size_t end = head_.find(kEndOfHead);
    if (end == std::string::npos && head_.size() <= acme::kMaxRequestHead) return true;
    acme::ChallengeAnswer answer = acme::answer_challenge(std::string_view(head_).substr(0, end),
                                                          listener_.board_.live()->http);
    ++listener_.counters_.answers[static_cast<std::size_t>(answer.reason)];
    out = std::move(answer.octets);
    return false;
  }

 private:
  ChallengeListener& listener_;
  std::string head_;
};

// RFC 8737 3: the handshake is all that there is; no application data is taken or sent.
class ChallengeListener::Handshake final : public net::ShortConnections::Dialogue {
 public:
  Handshake(ChallengeListener& listener, std::unique_ptr<net::TlsSession> tls)
      : listener_(listener), tls_(std::move(tls)) {}
  bool take(Bytes octets, std::string& out) override {
    tls_->feed(octets);
    const auto state = tls_->state();
    const bool goes_on = state == net::TlsSession::State::kHandshake;
    if (!goes_on) {
      Counters& counters = listener_.counters_;
      ++(state == net::TlsSession::State::kOpen ? counters.handshakes : counters.refused);
      tls_->close();
    }
    const Bytes outgoing = tls_->outgoing();
    out.append(reinterpret_cast<const char*>(outgoing.data()), outgoing.size());
    tls_->sent(outgoing.size());
    return goes_on;
  }

 private:
  ChallengeListener& listener_;
  std::unique_ptr<net::TlsSession> tls_;
};

Result<sys::Fd> ChallengeListener::bind(const Endpoint& endpoint) {
  return sys::listen_stream(endpoint, "listen on " + format(endpoint), {.backlog = kBacklog});
}

ChallengeListener::ChallengeListener(net::Reactor& reactor, const ChallengeBoard& board, Kind kind,
                                     sys::Fd listener)
    : board_(board),
      kind_(kind),
      connections_(reactor, {kMaxConnections, kIdle}, [this] { return begin(); }) {
  connections_.start(std::move(listener));
}

ChallengeListener::~ChallengeListener() = default;

Endpoint ChallengeListener::endpoint() const {
  return sys::local_endpoint(connections_.listener()).value_or(Endpoint());
}

std::unique_ptr<net::ShortConnections::Dialogue> ChallengeListener::begin() {
  ++counters_.connections;
  if (kind_ == Kind::kHttp) return std::make_unique<Request>(*this);
  const auto live = board_.live();
  if (live->tls == nullptr) {
    ++counters_.refused;
    return nullptr;
  }
  return std::make_unique<Handshake>(*this, net::TlsSession::server(live->tls));
}

}  // namespace timepool::certificates
