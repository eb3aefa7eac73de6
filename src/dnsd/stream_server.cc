#include "dnsd/stream_server.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "net/udp_worker.h"
#include "sys/stream_socket.h"

namespace timepool::dnsd {
namespace {

sys::ListenOptions listen_options() {
  sys::ListenOptions out;
  out.backlog = StreamServer::kBacklog;
  out.stream.no_delay = true;
  out.stream.send_buffer = StreamServer::kSendBuffer;
  out.stream.receive_buffer = StreamServer::kReceiveBuffer;
  out.stream.fast_open = StreamServer::kFastOpen;
  out.stream.defer_seconds = StreamServer::kDeferSeconds;
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
    sys::set_stream_options(fd.number(), listen_options().stream);
  } else {
    const std::string what =
        options_.setting + " " + format(endpoint) + " by " + options_.transport;
    fd = TRY(sys::listen_stream(endpoint, what, listen_options()));
  }
  addresses_.push_back(TRY(sys::local_endpoint(fd.number())));
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
