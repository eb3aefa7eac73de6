#include "net/tls_look.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.h"
#include "net/socket_end.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;
using Session = std::unique_ptr<SSL, void (*)(SSL*)>;

// Whatever is shown is taken: who looks judges it.
int believe(X509_STORE_CTX*, void*) {
  return 1;
}

TlsSight ended(TlsLookEnd end, std::string text) {
  TlsSight out;
  out.end = end;
  out.text = std::move(text);
  return out;
}

// By an error of the socket, or 0: the server has closed it.
TlsSight ended_by(int value) {
  const TlsLookEnd end = value == 0 ? TlsLookEnd::kEnded : end_of_errno<TlsLookEnd>(value);
  return ended(end, end == TlsLookEnd::kEnded ? "the connection was ended" : std::strerror(value));
}

// Waits for the socket; nothing when it is ready, else why not: `what` did not come.
std::optional<TlsSight> await(const TlsLook& look, int socket, short events, MonoTime until,
                              const char* what = "answer") {
  std::array<pollfd, 2> fds{{{socket, events, 0}, {look.cancel_fd, POLLIN, 0}}};
  const Duration left = until - sys::mono_now();
  const std::int64_t wait = std::max<std::int64_t>(left.ns() / 1'000'000, 0);
  const int count = ::poll(fds.data(), fds.size(), static_cast<int>(wait));
  if (fds[1].revents != 0) return ended(TlsLookEnd::kCancelled, "cancelled");
  if (count > 0 || (count < 0 && errno == EINTR)) return std::nullopt;
  if (count < 0) return ended(TlsLookEnd::kSystem, std::strerror(errno));
  return ended(TlsLookEnd::kTimeout, std::string("no ") + what + " within " + format(look.timeout));
}

// Over memory: a socket that was closed is an error of send() and never a signal.
Session make_session(SSL_CTX* context, const TlsLook& look) {
  CHECK(!look.protocol.empty() && look.protocol.size() < 256);
  const std::string offered = static_cast<char>(look.protocol.size()) + look.protocol;
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  SSL_CTX_set_cert_verify_callback(context, believe, nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  Session out(SSL_new(context), SSL_free);
  BIO* in = BIO_new(BIO_s_mem());
  BIO* sent = BIO_new(BIO_s_mem());
  CHECK(out != nullptr && in != nullptr && sent != nullptr);
  // Nothing there means: not yet.
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(out.get(), in, sent);
  CHECK(SSL_set_alpn_protos(out.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                            static_cast<unsigned>(offered.size())) == 0);
  if (SSL_set_tlsext_host_name(out.get(), look.name.c_str()) != 1) return {nullptr, SSL_free};
  SSL_set_connect_state(out.get());
  return out;
}

// All that is to go out; nothing when it went, else why not.
std::optional<TlsSight> flush(const TlsLook& look, SSL* session, int socket, MonoTime until) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(session), &data);
  std::string_view rest(data, static_cast<std::size_t>(size));
  while (!rest.empty()) {
    const ssize_t count = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      return ended_by(errno);
    } else if (auto why_not = await(look, socket, POLLOUT, until)) {
      return why_not;
    }
  }
  static_cast<void>(BIO_reset(SSL_get_wbio(session)));
  return std::nullopt;
}

// What came, some of it at least; nothing when it was taken in, else why not.
std::optional<TlsSight> take(const TlsLook& look, SSL* session, int socket, MonoTime until) {
  std::array<char, 16 << 10> room;
  for (;;) {
    const ssize_t count = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT);
    if (count == 0) return ended_by(0);
    if (count > 0) {
      CHECK(BIO_write(SSL_get_rbio(session), room.data(), static_cast<int>(count)) == count);
      return std::nullopt;
    }
    if (errno != EAGAIN && errno != EINTR) return ended_by(errno);
    if (auto why_not = await(look, socket, POLLIN, until)) return why_not;
  }
}

TlsSight sight_of(SSL* session) {
  TlsSight out;
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session, &name, &size);
  out.protocol.assign(reinterpret_cast<const char*>(name), size);
  const X509* shown = SSL_get0_peer_certificate(session);
  if (shown == nullptr) return ended(TlsLookEnd::kEnded, "no certificate was shown");
  out.end = TlsLookEnd::kShown;
  out.certificate = certificate_info(*shown);
  const int length = i2d_X509(shown, nullptr);
  CHECK(length > 0);
  out.der.resize(static_cast<std::size_t>(length));
  auto* at = reinterpret_cast<unsigned char*>(out.der.data());
  CHECK(i2d_X509(shown, &at) == length);
  return out;
}

TlsSight failed() {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  TlsSight out = ended(TlsLookEnd::kTls, reason == nullptr ? "" : reason);
  out.fault = code == 0 ? TlsFault::kProtocol : fault_of_library_error(code);
  ERR_clear_error();
  return out;
}

TlsSight shake_hands(const TlsLook& look, int socket, MonoTime until) {
  const Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  CHECK(context != nullptr);
  const Session session = make_session(context.get(), look);
  if (!session) return ended(TlsLookEnd::kSystem, "no host name: " + look.name);
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(session.get());
    const int kind = SSL_get_error(session.get(), result);
    if (result != 1 && kind != SSL_ERROR_WANT_READ) {
      TlsSight out = failed();
      // Our alert tells the server what was wrong with it.
      static_cast<void>(flush(look, session.get(), socket, until));
      return out;
    }
    if (result == 1) SSL_shutdown(session.get());
    const auto unsent = flush(look, session.get(), socket, until);
    if (result == 1) return sight_of(session.get());
    if (unsent) return *unsent;
    if (auto why_not = take(look, session.get(), socket, until)) return std::move(*why_not);
  }
}

}  // namespace

TlsSight look_at_tls(const TlsLook& look) {
  const MonoTime until = sys::mono_now() + look.timeout;
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(look.server, address);
  const auto socket = sys::make_socket(address.ss_family, SOCK_STREAM);
  if (!socket.ok()) return ended(TlsLookEnd::kSystem, socket.error().text());
  const int fd = socket->number();
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return ended_by(errno);
    if (auto why_not = await(look, fd, POLLOUT, until, "connection")) return std::move(*why_not);
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) != 0) value = errno;
    if (value != 0) return ended_by(value);
  }
  return shake_hands(look, fd, until);
}

}  // namespace timepool::net
