// Any octets from a client of TLS, by the first octet of the input: from the connection's first one
// on; after the handshake; or as the bits by which the ticket that the server gave it differs. A
// server whose client is not one of TLS never opens, nothing that it did not protect is read as
// plain text, and a ticket that is not one of ours costs a whole handshake and no more (RFC 8446
// 4.2.11).
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/check.h"
#include "net/tls_session.h"
#include "net/tls_testing.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
using namespace timepool::net;

constexpr std::string_view kProtocol = kDnsOverTlsProtocol;
using State = TlsSession::State;

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* it) const { kFree(it); }
};
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX, SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Free<SSL, SSL_free>>;
using Kept = std::unique_ptr<SSL_SESSION, Free<SSL_SESSION, SSL_SESSION_free>>;

std::shared_ptr<const TlsServerContext> make_server() {
  testing::CertificateWish wish;
  wish.dns_names = {"dns.test"};
  const auto own = testing::TestCertificate::self_signed(wish);
  TlsServerOptions options;
  options.protocol = std::string(kProtocol);
  options.tickets = 1;
  std::vector<TlsCertificate> certificates;
  certificates.push_back(
      TlsCertificate::parse(own.certificate_pem(), own.key_pem(), "fuzz").value());
  return TlsServerContext::create(std::move(certificates), options).value();
}

// The last ticket of the connection that is made.
Kept& last_kept() {
  static Kept kept;
  return kept;
}

Context make_client() {
  Context out(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_session_cache_mode(out.get(),
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(out.get(), [](SSL*, SSL_SESSION* session) {
    last_kept().reset(session);
    return 1;
  });
  return out;
}

// A client and the server, over memory. `kept`: what the client goes on from; null: nothing.
class Connection {
 public:
  explicit Connection(SSL_SESSION* kept) : server_(TlsSession::server(server_context())) {
    static const Context context = make_client();
    client_.reset(SSL_new(context.get()));
    SSL_set_bio(client_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(client_.get()), -1);
    std::array<unsigned char, 1 + kProtocol.size()> offered{kProtocol.size()};
    std::copy(kProtocol.begin(), kProtocol.end(), offered.begin() + 1);
    CHECK(SSL_set_alpn_protos(client_.get(), offered.data(), offered.size()) == 0);
    if (kept != nullptr) CHECK(SSL_set_session(client_.get(), kept) == 1);
    SSL_set_connect_state(client_.get());
  }
  static const std::shared_ptr<const TlsServerContext>& server_context() {
    static const auto context = make_server();
    return context;
  }

  // Two flights of each side, and the client reads its tickets.
  void shake_hands() {
    for (int i = 0; i < 3; ++i) {
      static_cast<void>(SSL_do_handshake(client_.get()));
      char* data = nullptr;
      const long size = BIO_get_mem_data(SSL_get_wbio(client_.get()), &data);
      server_->feed(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
      static_cast<void>(BIO_reset(SSL_get_wbio(client_.get())));
      const Bytes answer = server_->outgoing();
      if (!answer.empty()) {
        CHECK(BIO_write(SSL_get_rbio(client_.get()), answer.data(),
                        static_cast<int>(answer.size())) == static_cast<int>(answer.size()));
      }
      server_->sent(answer.size());
    }
    char none = 0;
    CHECK(SSL_read(client_.get(), &none, 1) <= 0);
    CHECK(server_->state() == State::kOpen);
  }
  TlsSession& server() { return *server_; }

 private:
  std::unique_ptr<TlsSession> server_;
  Ssl client_;
};

// In pieces of growing sizes, as a network cuts it. Nothing of it is plain text.
void feed_all(TlsSession& server, Bytes octets) {
  std::array<std::byte, 512> room;
  for (std::size_t size = 1; !octets.empty(); size = size * 2 + 1) {
    const Bytes piece = octets.first(std::min(size, octets.size()));
    octets = octets.subspan(piece.size());
    server.feed(piece);
    CHECK(server.read(room) == 0);
    CHECK(server.state() != State::kClosed);
    server.sent(server.outgoing().size());
  }
  if (server.state() == State::kFailed) {
    CHECK(server.fault() != TlsFault::kNone && !server.fault_text().empty());
  } else {
    server.end();
    CHECK(server.fault() == TlsFault::kTruncated);
  }
}

// The ticket lies in the session as the client keeps it.
void present_ticket(Bytes differences) {
  static const std::vector<unsigned char> whole = [] {
    Connection(nullptr).shake_hands();
    unsigned char* out = nullptr;
    const int size = i2d_SSL_SESSION(last_kept().get(), &out);
    CHECK(size > 0);
    std::vector<unsigned char> bytes(out, out + size);
    OPENSSL_free(out);
    return bytes;
  }();
  std::vector<unsigned char> changed = whole;
  const unsigned char* ticket = nullptr;
  std::size_t size = 0;
  const unsigned char* at = whole.data();
  const Kept original(d2i_SSL_SESSION(nullptr, &at, static_cast<long>(whole.size())));
  SSL_SESSION_get0_ticket(original.get(), &ticket, &size);
  const auto place = std::search(changed.begin(), changed.end(), ticket, ticket + size);
  CHECK(size > 0 && place != changed.end());
  for (std::size_t i = 0; i < differences.size(); ++i) {
    place[static_cast<std::ptrdiff_t>(i % size)] ^= std::to_integer<unsigned char>(differences[i]);
  }
  at = changed.data();
  const Kept kept(d2i_SSL_SESSION(nullptr, &at, static_cast<long>(changed.size())));
  Connection connection(kept.get());
  connection.shake_hands();
  CHECK(connection.server().resumed() == (changed == whole));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] == 't') {
    present_ticket(input);
  } else if (data[0] == 'o') {
    Connection connection(nullptr);
    connection.shake_hands();
    feed_all(connection.server(), input);
  } else {
    const auto server = TlsSession::server(Connection::server_context());
    feed_all(*server, input);
    CHECK(server->state() == State::kFailed);
  }
  return 0;
}
