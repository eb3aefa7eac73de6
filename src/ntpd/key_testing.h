// For tests of key establishment over real connections: files of certificates, a client that may
// misbehave, keys of cookies.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/ntpd_nts_server.h"
#include "crypto/digest.h"
#include "net/tls_session.h"
#include "net/tls_testing.h"
#include "net/tls_testing_files.h"
#include "nts/ke_client.h"
#include "nts/key_chain.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd::testing {

inline constexpr const char* kHost = "time.example.org";

using net::testing::wish_for;

// An authority, and files with certificates that it signs, as they are configured.
class CertificateFiles : public net::testing::CertificateFiles {
 public:
  config::NtsCertificateConfig write(const std::string& file,
                                     const net::testing::CertificateWish& wish) const {
    const sys::CertificateFiles out = net::testing::CertificateFiles::write(file, wish);
    return {out.chain, out.key};
  }
};

inline std::shared_ptr<const nts::CookieKeys> cookie_keys() {
  const UnixTime now = sys::unix_now();
  nts::KeyChain chain = nts::KeyChain::begin({}, Duration::seconds(86'400), now);
  chain.advance(now, 8, crypto::hmac_sha256);
  return std::make_shared<nts::CookieKeys>(chain.keys(1));
}

// A client on a blocking socket, with a time limit on each wait.
class KeyTestClient {
 public:
  using Answer = std::optional<Result<nts::Establishment, nts::KeClientError>>;

  // From `local`, an address of 127.0.0.0/8.
  explicit KeyTestClient(const Endpoint& server, const std::string& local = "127.0.0.1") {
    socket_ = std::move(sys::make_socket(AF_INET, SOCK_STREAM)).value();
    sockaddr_storage address{};
    socklen_t length = sys::to_sockaddr({parse_ip(local).value(), 0, 0}, address);
    EXPECT_EQ(::bind(fd(), reinterpret_cast<sockaddr*>(&address), length), 0);
    length = sys::to_sockaddr(server, address);
    // It does not block: the kernel of this machine completes it at once.
    static_cast<void>(::connect(fd(), reinterpret_cast<sockaddr*>(&address), length));
    wait(POLLOUT);
    const int on = 1;
    ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  int fd() const { return socket_.number(); }
  net::TlsSession& tls() { return *tls_; }

  // Until the handshake is done or has failed; true when it is done.
  bool handshake(const net::testing::TestCertificate& authority, std::string name = kHost) {
    net::TlsClientOptions options;
    options.ca_pem = authority.certificate_pem();
    auto context = net::TlsClientContext::create(options);
    tls_ = std::move(net::TlsSession::client(std::move(context).value(), {std::move(name), {}}))
               .value();
    while (tls_->state() == net::TlsSession::State::kHandshake) {
      if (!flush() || !receive()) return false;
    }
    return flush() && tls_->state() == net::TlsSession::State::kOpen;
  }
  void say(Bytes plain) {
    tls_->write(plain);
    flush();
  }
  // What the server says until it closes.
  std::vector<std::byte> hear() {
    std::vector<std::byte> out;
    std::array<std::byte, 4096> buffer;
    for (;;) {
      while (const std::size_t n = tls_->read(buffer)) {
        out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
      }
      if (tls_->state() != net::TlsSession::State::kOpen || !receive()) return out;
    }
  }
  // Asks as it should be; nothing when the server ends it without a whole answer.
  Answer establish(const net::testing::TestCertificate& authority,
                   AeadId aead = AeadId::kAesSivCmac256) {
    if (!handshake(authority)) return {};
    nts::KeClientConfig config;
    EXPECT_TRUE(config.aeads.push_back(aead));
    nts::KeClient messages(config);
    say(messages.request());
    nts::SessionExporter keys(*tls_);
    const std::vector<std::byte> response = hear();
    return messages.feed(response, keys);
  }
  // False when the server ended the connection or is silent for `patience_ms`.
  bool receive(int patience_ms = 5000) {
    if (!wait(POLLIN, patience_ms)) return false;
    std::array<std::byte, 4096> buffer;
    const ssize_t count = ::recv(fd(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return false;
    if (tls_) tls_->feed(Bytes(buffer).first(static_cast<std::size_t>(count)));
    return true;
  }
  bool flush() {
    while (!tls_->outgoing().empty()) {
      const Bytes out = tls_->outgoing();
      const ssize_t count = ::send(fd(), out.data(), out.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      tls_->sent(static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  bool wait(short events, int patience_ms = 5000) const {
    pollfd one{fd(), events, 0};
    return ::poll(&one, 1, patience_ms) == 1;
  }

  sys::Fd socket_;
  std::unique_ptr<net::TlsSession> tls_;
};

}  // namespace timepool::ntpd::testing
