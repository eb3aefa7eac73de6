#include "net/http_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "net/http_session.h"

namespace timepool::net {
namespace asio = boost::asio;
namespace {

using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

// How often the limits of time are enforced: they are exact to this.
constexpr std::chrono::milliseconds kSweep{100};
// The pause after a failed accept (no file descriptors left), which would fail again at once.
constexpr std::chrono::milliseconds kAcceptPause{100};

Tcp::endpoint to_asio(const Endpoint& endpoint) {
  if (endpoint.address.is_v4()) {
    return {asio::ip::address_v4(endpoint.address.v4_bits()), endpoint.port};
  }
  asio::ip::address_v6::bytes_type bytes{};
  const Bytes in = endpoint.address.bytes();
  std::transform(in.begin(), in.end(), bytes.begin(),
                 [](std::byte b) { return std::to_integer<unsigned char>(b); });
  return {asio::ip::address_v6(bytes, endpoint.scope_id), endpoint.port};
}

Endpoint from_asio(const Tcp::endpoint& endpoint) {
  Endpoint out;
  out.port = endpoint.port();
  if (endpoint.address().is_v4()) {
    out.address = IpAddress::v4(endpoint.address().to_v4().to_uint());
    return out;
  }
  const auto bytes = endpoint.address().to_v6().to_bytes();
  out.address = IpAddress::from_bytes(std::as_bytes(std::span(bytes)));
  out.scope_id = static_cast<std::uint32_t>(endpoint.address().to_v6().scope_id());
  return out;
}

Endpoint peer_of(const Tcp::socket& socket) {
  boost::system::error_code error;
  const Tcp::endpoint remote = socket.remote_endpoint(error);
  return error ? Endpoint() : from_asio(remote);
}
Endpoint peer_of(const Local::socket&) {
  return {};
}

void prepare(Tcp::socket& socket) {
  boost::system::error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
}
void prepare(Local::socket&) {}

Error bind_error(const boost::system::error_code& error, const HttpListen& listen) {
  const std::string where = listen.unix_path.empty() ? format(listen.endpoint) : listen.unix_path;
  return system_error(error.value(), "cannot listen: " + listen.setting + " = " + where);
}

// Removes the socket file that a program which is gone left behind; one that answers stays, and
// bind then reports the address in use.
void remove_stale_socket(asio::io_context& io, const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  Local::socket probe(io);
  boost::system::error_code error;
  probe.connect(Local::endpoint(path), error);
  if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpRouter router, HttpServerOptions options) {
    shared_.router = std::move(router);
    shared_.options = std::move(options);
    shared_.gate->io = &io_;
  }

  ~Impl() { stop(Duration::seconds(5)); }

  Result<void> listen() {
    for (const HttpListen& listen : shared_.options.listen) {
      if (listen.unix_path.empty()) {
        TRY(listen_tcp(listen));
      } else {
        TRY(listen_local(listen));
      }
    }
    return {};
  }

  void start() {
    workers_ = std::make_unique<HttpWorkers>(shared_.options.workers);
    for (Tcp::acceptor& acceptor : tcp_) {
      asio::co_spawn(io_, accept_loop(acceptor), asio::detached);
    }
    for (Local::acceptor& acceptor : local_) {
      asio::co_spawn(io_, accept_loop(acceptor), asio::detached);
    }
    asio::co_spawn(io_, sweep(), asio::detached);
    thread_ = std::thread([this] { run(); });
  }

  void stop(Duration grace) {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { begin_stop(); });
    {
      std::unique_lock lock(mutex_);
      drained_changed_.wait_for(lock, std::chrono::nanoseconds(grace.ns()),
                                [this] { return drained_; });
    }
    io_.stop();
    thread_.join();
    workers_.reset();
    for (HttpSession* session : sessions_) session->close();
    const std::lock_guard lock(shared_.gate->mutex);
    shared_.gate->io = nullptr;
  }

  std::vector<Endpoint> endpoints() const { return endpoints_; }
  const HttpShared& shared() const { return shared_; }

 private:
  Result<void> listen_tcp(const HttpListen& listen) {
    boost::system::error_code error;
    Tcp::acceptor acceptor(io_);
    const Tcp::endpoint endpoint = to_asio(listen.endpoint);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
    if (!error && !listen.endpoint.address.is_v4()) {
      acceptor.set_option(asio::ip::v6_only(true), error);
    }
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    Tcp::endpoint bound;
    if (!error) bound = acceptor.local_endpoint(error);
    if (error) return fail(bind_error(error, listen));
    endpoints_.push_back(from_asio(bound));
    tcp_.push_back(std::move(acceptor));
    return {};
  }

  Result<void> listen_local(const HttpListen& listen) {
    if (listen.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
      return fail(Error{ErrorCode::kInvalid,
                        "cannot listen: " + listen.setting + " = " + listen.unix_path,
                        "a Unix socket's path has at most 107 bytes"});
    }
    remove_stale_socket(io_, listen.unix_path);
    boost::system::error_code error;
    Local::acceptor acceptor(io_);
    acceptor.open(Local(), error);
    // Linux gives the file the mode that the socket has before bind, less the umask: it is never
    // open to all, and chmod then only adds what the umask took.
    if (!error) ::fchmod(acceptor.native_handle(), 0660);
    if (!error) acceptor.bind(Local::endpoint(listen.unix_path), error);
    if (!error) ::chmod(listen.unix_path.c_str(), 0660);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(bind_error(error, listen));
    local_.push_back(std::move(acceptor));
    return {};
  }

  void run() {
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& exception) {
        shared_.log(std::string("http: the I/O loop caught: ") + exception.what());
      }
    }
  }

  template <class Acceptor>
  asio::awaitable<void> accept_loop(Acceptor& acceptor) {
    asio::steady_timer pause(io_);
    while (!shared_.stopping) {
      boost::system::error_code error;
      auto socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || shared_.stopping) co_return;
      if (!error) {
        admit(std::move(socket));
        continue;
      }
      if (error == asio::error::connection_aborted) continue;
      shared_.log("http: cannot accept a connection: " + error.message());
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  template <class Socket>
  void admit(Socket socket) {
    if (sessions_.size() >= shared_.options.limits.connections) {
      shared_.connections_refused.fetch_add(1, std::memory_order_relaxed);
      refuse(socket);
      return;
    }
    prepare(socket);
    shared_.connections.fetch_add(1, std::memory_order_relaxed);
    const Endpoint peer = peer_of(socket);
    auto session = std::make_shared<HttpSession>(
        shared_, io_, *workers_, std::make_unique<SocketStream<Socket>>(std::move(socket)), peer);
    sessions_.insert(session.get());
    shared_.connections_open.store(sessions_.size(), std::memory_order_relaxed);
    asio::co_spawn(io_, serve(std::move(session)), asio::detached);
  }

  // Tells a connection over the limit why, without waiting for its request.
  template <class Socket>
  static void refuse(Socket& socket) {
    constexpr std::string_view kBody =
        R"({"error":{"code":"unavailable","message":"too many connections; try again"}})";
    const std::string text =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\n"
        "Connection: close\r\nContent-Length: " +
        std::to_string(kBody.size()) + "\r\n\r\n" + std::string(kBody);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(text), 0, ignored);
    socket.shutdown(asio::socket_base::shutdown_send, ignored);
  }

  asio::awaitable<void> serve(std::shared_ptr<HttpSession> session) {
    try {
      co_await session->run();
    } catch (const std::exception& exception) {
      shared_.log(std::string("http: a connection ended by: ") + exception.what());
    }
    session->close();
    sessions_.erase(session.get());
    shared_.connections_open.store(sessions_.size(), std::memory_order_relaxed);
    note_drained();
  }

  asio::awaitable<void> sweep() {
    asio::steady_timer timer(io_);
    for (;;) {
      boost::system::error_code ignored;
      timer.expires_after(kSweep);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const auto now = HttpSession::Clock::now();
      for (HttpSession* session : sessions_) session->enforce_deadline(now);
    }
  }

  void begin_stop() {
    shared_.stopping = true;
    boost::system::error_code ignored;
    for (Tcp::acceptor& acceptor : tcp_) acceptor.close(ignored);
    for (Local::acceptor& acceptor : local_) acceptor.close(ignored);
    for (const HttpListen& listen : shared_.options.listen) {
      if (!listen.unix_path.empty()) ::unlink(listen.unix_path.c_str());
    }
    for (HttpSession* session : sessions_) session->stop();
    note_drained();
  }

  void note_drained() {
    if (!shared_.stopping || !sessions_.empty()) return;
    const std::lock_guard lock(mutex_);
    drained_ = true;
    drained_changed_.notify_all();
  }

  // io_ is destroyed before what the coroutines that it owns refer to.
  HttpShared shared_;
  std::unique_ptr<HttpWorkers> workers_;
  std::unordered_set<HttpSession*> sessions_;
  std::vector<Endpoint> endpoints_;
  std::mutex mutex_;
  std::condition_variable drained_changed_;
  bool drained_ = false;
  asio::io_context io_{1};
  std::vector<Tcp::acceptor> tcp_;
  std::vector<Local::acceptor> local_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpRouter router,
                                                      HttpServerOptions options) {
  CHECK(!options.listen.empty());
  auto impl = std::make_unique<Impl>(std::move(router), std::move(options));
  TRY(impl->listen());
  impl->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::vector<Endpoint> HttpServer::endpoints() const {
  return impl_->endpoints();
}

HttpServerCounters HttpServer::counters() const {
  const HttpShared& shared = impl_->shared();
  HttpServerCounters out;
  out.connections = shared.connections.load(std::memory_order_relaxed);
  out.connections_refused = shared.connections_refused.load(std::memory_order_relaxed);
  out.connections_open = shared.connections_open.load(std::memory_order_relaxed);
  out.requests = shared.requests.load(std::memory_order_relaxed);
  out.client_errors = shared.client_errors.load(std::memory_order_relaxed);
  out.server_errors = shared.server_errors.load(std::memory_order_relaxed);
  out.timeouts = shared.timeouts.load(std::memory_order_relaxed);
  out.waiting = shared.waiting_now.load(std::memory_order_relaxed);
  return out;
}

void HttpServer::stop(Duration grace) {
  impl_->stop(grace);
}

const HttpFields& http_security_headers() {
  static const HttpFields kFields{
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
       "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
  };
  return kFields;
}

}  // namespace timepool::net
