#include "net/tls_bare_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>

#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::net {
namespace {

bool serve_one(int socket, SSL_CTX* context) {
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context), SSL_free);
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket) != 1) return false;
  // A whole flight by one call, not each record by two.
  SSL_set_read_ahead(ssl.get(), 1);
  ERR_clear_error();
  if (SSL_accept(ssl.get()) != 1) return false;
  std::array<char, 4096> room;
  while (SSL_read(ssl.get(), room.data(), static_cast<int>(room.size())) > 0) {
  }
  SSL_shutdown(ssl.get());
  return true;
}

}  // namespace

std::uint64_t serve_bare_tls(int listener, const TlsServerContext& context, Duration duration) {
  const MonoTime until = sys::mono_now() + duration;
  std::uint64_t done = 0;
  while (sys::mono_now() < until) {
    const sys::Fd socket(::accept(listener, nullptr, nullptr));
    if (!socket) return done;
    if (serve_one(socket.number(), context.first())) ++done;
  }
  return done;
}

}  // namespace timepool::net
