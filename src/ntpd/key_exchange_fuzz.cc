// A whole key establishment over TLS 1.3, between our client's and our server's machines in memory.
// The input says how what flows is cut, and whether the network ends or changes it on the way.
// However it is cut it succeeds, with the same keys at both ends; ended or changed it ends in a
// reason, and the client has no establishment that is not the server's.
//
// The first octet is of flags (see below). Then come steps of one octet: whether to the client or
// to the server, and how many octets go on; or that this way ends; or that the next octet of it is
// changed.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "net/tls_session.h"
#include "net/tls_testing.h"
#include "nts/ke_client.h"
#include "nts/ke_server.h"
#include "nts/ke_testing.h"
#include "wire/nts/record.h"

namespace {

using namespace timepool;

// Flags.
constexpr unsigned kRequestByOctets = 1;   // each octet of the request is a TLS record of its own
constexpr unsigned kResponseByOctets = 2;  // the same of the response
constexpr unsigned kLongest = 4;           // the response is as long as a client must take
constexpr unsigned kTooLong = 8;           // and an octet longer
constexpr unsigned kLongRequest = 16;      // it names servers that it has, 2,300 octets of them
// Steps: the highest bit is the way, what is below this a count of octets, 0 all that is there.
constexpr unsigned kToClient = 0x80;
constexpr unsigned kEnd = 0x78;
constexpr unsigned kChange = 0x79;
// As what a program reads from its socket at once.
constexpr std::size_t kMaxPiece = 4096;
constexpr int kMaxSteps = 4096;

struct Contexts {
  std::shared_ptr<const net::TlsServerContext> server;
  std::shared_ptr<const net::TlsClientContext> client;
};

const Contexts& contexts() {
  static const Contexts made = [] {
    const auto authority = net::testing::TestCertificate::authority("fuzz");
    net::testing::CertificateWish wish;
    wish.dns_names = {"time.example.org"};
    const auto leaf = authority.issue(wish);
    std::vector<net::TlsCertificate> chain;
    chain.push_back(
        net::TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "fuzz").value());
    net::TlsClientOptions options;
    options.ca_pem = authority.certificate_pem();
    return Contexts{net::TlsServerContext::create(std::move(chain)).value(),
                    net::TlsClientContext::create(std::move(options)).value()};
  }();
  return made;
}

nts::KeClientConfig client_config(bool long_request) {
  nts::KeClientConfig out;
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
  if (long_request) out.denied.assign(nts::kMaxDeniedServers, name);
  return out;
}

nts::KeServerConfig server_config() {
  nts::KeServerConfig out;
  CHECK(out.aeads.push_back(AeadId::kAesSivCmac256));
  return out;
}

// A record that nobody knows, before the response, that makes it `size` octets long.
std::vector<std::byte> lengthened(Bytes response, std::size_t size) {
  constexpr std::uint16_t kUnknown = 0x4321;
  CHECK(response.size() + wire::nts::kRecordHeaderSize <= size);
  const std::vector<std::byte> filler(size - response.size() - wire::nts::kRecordHeaderSize);
  std::vector<std::byte> out(size);
  ByteWriter writer(out);
  wire::nts::write_record({false, kUnknown, filler}, writer);
  writer.bytes(response);
  CHECK(writer.ok() && writer.size() == size);
  return out;
}

void write(net::TlsSession& session, Bytes plain, bool by_octets) {
  if (!by_octets) return session.write(plain);
  for (std::size_t i = 0; i < plain.size(); ++i) session.write(plain.subspan(i, 1));
}

class Pair {
 public:
  explicit Pair(unsigned flags)
      : flags_(flags), messages_(client_config((flags & kLongRequest) != 0)) {
    server_ = net::TlsSession::server(contexts().server);
    client_ =
        std::move(net::TlsSession::client(contexts().client, {"time.example.org", {}})).value();
  }

  void step(unsigned what, ByteReader& input) {
    const bool to_client = (what & kToClient) != 0;
    const unsigned how = what & ~kToClient;
    if (how == kEnd) return end(to_client);
    if (how == kChange) return change(to_client, std::byte{input.u8()});
    carry(to_client, how == 0 ? kMaxPiece : how);
  }
  // All that is left, both ways.
  void finish() {
    while (carry(false, kMaxPiece) || carry(true, kMaxPiece)) {
    }
  }
  void check() {
    if (made_) {
      CHECK(made_->keys == cookies_.sealed && made_->cookies.size() == nts::kEstablishedCookies);
      CHECK(reason_ == nts::KeReason::kEstablished);
    }
    if (touched_) return;
    if ((flags_ & kTooLong) != 0) {
      CHECK(error_ == nts::KeClientError::kTooLong);
      return;
    }
    CHECK(made_);
    // RFC 8915 4: both say that they end it.
    CHECK(client_->state() == net::TlsSession::State::kClosed);
    CHECK(server_->state() == net::TlsSession::State::kClosed);
  }

 private:
  net::TlsSession& from(bool to_client) { return to_client ? *server_ : *client_; }
  net::TlsSession& at(bool to_client) { return to_client ? *client_ : *server_; }

  // Whether anything went on.
  bool carry(bool to_client, std::size_t most) {
    const Bytes waiting = from(to_client).outgoing();
    if (waiting.empty()) return false;
    std::vector<std::byte> piece(
        waiting.begin(),
        waiting.begin() + static_cast<std::ptrdiff_t>(std::min({most, waiting.size(), kMaxPiece})));
    from(to_client).sent(piece.size());
    std::byte& mask = masks_[to_client];
    piece.front() ^= mask;
    mask = std::byte{0};
    if (ended_[to_client]) return true;
    at(to_client).feed(piece);
    to_client ? advance_client() : advance_server();
    return true;
  }
  void change(bool to_client, std::byte mask) {
    if (mask == std::byte{0}) return;
    masks_[to_client] = mask;
    touched_ = true;
  }
  void end(bool to_client) {
    if (ended_[to_client]) return;
    ended_[to_client] = touched_ = true;
    at(to_client).end();
    to_client ? advance_client() : advance_server();
  }
  void advance_client() {
    if (!asked_ && client_->state() == net::TlsSession::State::kOpen) {
      asked_ = true;
      write(*client_, messages_.request(), (flags_ & kRequestByOctets) != 0);
    }
    std::array<std::byte, 2048> plain;
    nts::SessionExporter keys(*client_);
    while (const std::size_t count = client_->read(plain)) {
      if (!answered_) take(messages_.feed(Bytes(plain).first(count), keys));
    }
    if (asked_ && !answered_ && client_->state() != net::TlsSession::State::kOpen) {
      take(fail(messages_.handle_end()));
    }
  }
  void take(std::optional<Result<nts::Establishment, nts::KeClientError>> answer) {
    if (!answer) return;
    answered_ = true;
    if (answer->ok()) {
      made_ = std::move(*answer).value();
    } else {
      error_ = answer->error();
    }
    if (client_->state() == net::TlsSession::State::kOpen) client_->close();
  }
  void advance_server() {
    if (server_->state() == net::TlsSession::State::kHandshake) return;
    std::array<std::byte, 2048> plain;
    nts::SessionExporter keys(*server_);
    while (const std::size_t count = server_->read(plain)) {
      if (reason_) continue;
      if (const auto reason = asked_us_.feed(Bytes(plain).first(count), keys, cookies_))
        tell(*reason);
    }
    if (!reason_ && server_->state() == net::TlsSession::State::kClosed)
      tell(asked_us_.handle_end());
  }
  void tell(nts::KeReason reason) {
    CHECK(!reason_ && !nts::name_of(reason).empty());
    reason_ = reason;
    const bool long_one = (flags_ & (kLongest | kTooLong)) != 0;
    const std::size_t more = (flags_ & kTooLong) != 0 ? 1 : 0;
    if (long_one) {
      write(*server_, lengthened(asked_us_.response(), nts::kMaxKeResponse + more), false);
    } else {
      write(*server_, asked_us_.response(), (flags_ & kResponseByOctets) != 0);
    }
    server_->close();
  }
  unsigned flags_;
  std::unique_ptr<net::TlsSession> server_;
  std::unique_ptr<net::TlsSession> client_;
  nts::KeClient messages_;
  nts::KeServerConfig config_ = server_config();
  nts::KeServer asked_us_{config_, IpFamily::kV4};
  nts::fake::TestCookieMaker cookies_;
  std::array<std::byte, 2> masks_{};
  std::array<bool, 2> ended_{};
  bool touched_ = false;  // the network ended or changed something
  bool asked_ = false;
  bool answered_ = false;
  std::optional<nts::KeReason> reason_;
  std::optional<nts::Establishment> made_;
  std::optional<nts::KeClientError> error_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader input(std::as_bytes(std::span(data, size)));
  Pair pair(input.u8());
  for (int i = 0; i < kMaxSteps && input.ok() && input.remaining() > 0; ++i)
    pair.step(input.u8(), input);
  pair.finish();
  pair.check();
  return 0;
}
