#include "dnsd/stream_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "net/udp_worker.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {
namespace {

// Connections have it from the listening socket. What the system does not know it does without.
void set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) < 0) errno = 0;
}

void set_options(int fd) {
  set_option(fd, SOL_SOCKET, SO_SNDBUF, StreamServer::kSendBuffer);
  set_option(fd, SOL_SOCKET, SO_RCVBUF, StreamServer::kReceiveBuffer);
  // Without it the second of two answers waits for the client's delayed acknowledgement, 40 ms.
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, StreamServer::kFastOpen);
  set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, StreamServer::kDeferSeconds);
}

Endpoint local_address(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  const auto out = sys::from_sockaddr(address);
  CHECK(out.has_value());
  return *out;
}

Result<sys::Fd> bind_listener(const Endpoint& at, const std::string& what) {
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(at, address);
  auto made = sys::make_socket(address.ss_family, SOCK_STREAM);
  if (!made.ok()) return fail(made.error());
  sys::Fd out = std::move(made).value();
  set_option(out.number(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!at.address.is_v4()) set_option(out.number(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set_options(out.number());
  if (::bind(out.number(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(out.number(), StreamServer::kBacklog) != 0) {
    return fail(system_error(errno, what));
  }
  return out;
}

std::string thread_name(const std::string& transport, std::size_t index) {
  std::string out;
  for (const char c : transport) out += static_cast<char>(c | 0x20);
  return out + " " + std::to_string(index);
}

}  // namespace

StreamServer::StreamServer(const config::DnsdConnectionsConfig& config, StreamServerOptions options)
    : options_(std::move(options)), gate_(config, options_.most) {}

Result<std::unique_ptr<StreamServer>> StreamServer::create(
    const config::DnsdConnectionsConfig& config, StreamServerOptions options,
    const MakeHandler& make_handler) {
  std::unique_ptr<StreamServer> out(new StreamServer(config, std::move(options)));
  for (const Endpoint& endpoint : out->options_.listen) TRY(out->listen_on(endpoint));
  out->options_.inherited = nullptr;
  for (unsigned i = 0; i < config.threads; ++i) {
    out->workers_.push_back(
        TRY(StreamWorker::create(out->gate_, out->options_.tls, make_handler())));
    out->workers_.back()->set_listeners(out->descriptors_);
  }
  return out;
}

StreamServer::~StreamServer() {
  if (!threads_.empty()) set_mode(StreamWorker::Mode::kQuit);
  for (std::thread& thread : threads_) thread.join();
}

Result<void> StreamServer::listen_on(const Endpoint& endpoint) {
  sys::Fd fd;
  if (options_.inherited != nullptr) fd = options_.inherited->take_listener(endpoint);
  if (fd) {
    set_options(fd.number());
  } else {
    const std::string what =
        options_.setting + " " + format(endpoint) + " by " + options_.transport;
    fd = TRY(bind_listener(endpoint, what));
  }
  addresses_.push_back(local_address(fd.number()));
  descriptors_.push_back(fd.number());
  listeners_.push_back(std::move(fd));
  return {};
}

void StreamServer::set_mode(StreamWorker::Mode mode) {
  for (const auto& worker : workers_) worker->set_mode(mode);
}

void StreamServer::start_threads() {
  for (unsigned i = 0; i < workers_.size(); ++i) {
    threads_.emplace_back([this, i] {
      net::prepare_worker_thread(i, options_.pin_threads);
      ::pthread_setname_np(::pthread_self(), thread_name(options_.transport, i).c_str());
      workers_[i]->run();
    });
  }
}

void StreamServer::begin() {
  if (threads_.empty()) start_threads();
  set_mode(StreamWorker::Mode::kAccept);
}

void StreamServer::stop() {
  if (!threads_.empty()) set_mode(StreamWorker::Mode::kHold);
}

void StreamServer::begin_drain() {
  if (!threads_.empty()) set_mode(StreamWorker::Mode::kDrain);
}

StreamCounts StreamServer::counts() const {
  StreamCounts out;
  for (const auto& worker : workers_) worker->counters().add_to(out);
  out.open = gate_.open();
  return out;
}

QueryCounts StreamServer::queries() const {
  QueryCounts out;
  for (const auto& worker : workers_) out.add(worker->handler().counts());
  return out;
}

}  // namespace timepool::dnsd
