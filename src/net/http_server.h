// HttpServer: HTTP/1.1 over TCP and Unix sockets. One I/O thread runs every connection as a
// coroutine; handlers run on a bounded pool of worker threads; a long-poll that waits holds no
// thread. Handlers are called from several threads at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"
#include "net/http_router.h"

namespace timepool::net {

struct HttpListen {
  std::string setting;    // named in errors: "[http] listen"
  Endpoint endpoint;      // port 0 takes any free one
  std::string unix_path;  // when set, a Unix socket (mode 0660) instead of the endpoint
};

// Every limit of the server. A connection costs about 20 kB, so that 4096 of them stay below 80 MB
// plus the bodies in flight (in_flight * body_bytes at the very most).
struct HttpServerLimits {
  std::size_t header_bytes = 16 * 1024;       // request line and fields; beyond: 431
  std::size_t body_bytes = 1024 * 1024;       // beyond: 413
  std::size_t connections = 4096;             // beyond: 503 and closed
  std::size_t in_flight = 256;                // requests in handlers or queued for one; beyond: 503
  std::size_t waiting = 2048;                 // long-polls that wait; beyond: 503
  std::size_t requests = 100'000;             // on one connection, then it is closed
  Duration idle = Duration::seconds(75);      // a connection without a request
  Duration request = Duration::seconds(20);   // from the first byte of a request to its last
  Duration response = Duration::seconds(60);  // for the client to take in one response
  Duration wait = Duration::seconds(300);     // the longest HttpWait::at_most
};

struct HttpServerOptions {
  std::vector<HttpListen> listen;
  unsigned workers = 4;
  HttpServerLimits limits;
  // Adds http_security_headers() to every response that does not set them itself.
  bool security_headers = true;
  // One line for each handler that threw and each fault of the server; called from any thread.
  std::function<void(std::string_view)> log;
};

struct HttpServerCounters {
  std::uint64_t connections = 0;  // accepted
  std::uint64_t connections_refused = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t requests = 0;  // answered, of any status
  std::uint64_t client_errors = 0;
  std::uint64_t server_errors = 0;
  std::uint64_t timeouts = 0;  // 408: a request that did not arrive in time
  std::uint64_t waiting = 0;   // long-polls that wait now
};

class HttpServer {
 public:
  // Binds every address and starts the threads. Errors: the setting, the address and why.
  static Result<std::unique_ptr<HttpServer>> start(HttpRouter router, HttpServerOptions options);
  // stop(5 s)
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The bound TCP addresses in the order of the options, with their real ports.
  std::vector<Endpoint> endpoints() const;
  HttpServerCounters counters() const;
  // Takes no more connections, ends the waits, lets requests in handlers be answered for up to
  // `grace`, then closes what is left and joins the threads. A handler that blocks is waited for.
  void stop(Duration grace);

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Content-Security-Policy for pages without inline script or style, nosniff, no-referrer.
const HttpFields& http_security_headers();

}  // namespace timepool::net
