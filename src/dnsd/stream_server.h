// StreamServer: the listening sockets and threads of DNS over TCP, or of DNS over TLS. Main thread
// only, but the counts.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "config/dnsd_tcp.h"
#include "dnsd/query_handler.h"
#include "dnsd/stream_counters.h"
#include "dnsd/stream_gate.h"
#include "dnsd/stream_worker.h"
#include "net/inherited_sockets.h"
#include "sys/fd.h"

namespace timepool::dnsd {

struct StreamServerOptions {
  std::vector<Endpoint> listen;  // port 0: a free one
  std::string transport;         // "TCP" or "TLS", for errors and names of threads
  std::string setting;           // "[server] listen"
  bool pin_threads = false;
  std::size_t most = 1;  // connections that descriptors allow
  // Sockets to take instead of binding; null: none. Needed until create() returned.
  net::InheritedSockets* inherited = nullptr;
  const TlsSource* tls = nullptr;  // null: plain TCP
};

class StreamServer {
 public:
  // The kernel's queue of connections that no worker has taken yet; its own limit is 4096 mostly.
  static constexpr int kBacklog = 4096;
  // What the kernel holds of a connection whose client does not read, or whose queries are not
  // read, at the most: a slow client costs no more than that, and kWriteChunk of ours. The kernel
  // takes twice as much for its own books.
  static constexpr int kSendBuffer = 128 << 10;
  static constexpr int kReceiveBuffer = 32 << 10;
  // TCP fast open (RFC 7413): connections that are not acknowledged yet but bring a query.
  static constexpr int kFastOpen = 256;
  // A connection that brings no query is noticed after so many seconds only: it costs no
  // descriptor until then.
  static constexpr int kDeferSeconds = 1;
  using MakeHandler = std::function<std::unique_ptr<QueryHandler>()>;

  // Binds; answers from begin() on. Errors: the address that can't be bound, naming the setting.
  static Result<std::unique_ptr<StreamServer>> create(const config::DnsdConnectionsConfig& config,
                                                      StreamServerOptions options,
                                                      const MakeHandler& make_handler);
  ~StreamServer();

  void begin();
  // New connections wait in the listening sockets, for begin() or another process; those that have
  // begun are served on.
  void stop();
  // After stop(): idle connections are closed soon, those in use when they no longer are.
  void begin_drain();
  bool drained() const { return gate_.open() == 0; }
  // Limits and idle time; the threads stay.
  void reconfigure(const config::DnsdConnectionsConfig& config) { gate_.set(config); }

  const std::vector<Endpoint>& addresses() const { return addresses_; }
  const std::vector<int>& descriptors() const { return descriptors_; }
  std::size_t limit() const { return gate_.limit(); }
  // From any thread.
  StreamCounts counts() const;
  QueryCounts queries() const;

 private:
  StreamServer(const config::DnsdConnectionsConfig& config, StreamServerOptions options);
  Result<void> listen_on(const Endpoint& endpoint);
  void set_mode(StreamWorker::Mode mode);
  void start_threads();

  StreamServerOptions options_;
  StreamGate gate_;
  std::vector<sys::Fd> listeners_;
  std::vector<int> descriptors_;
  std::vector<Endpoint> addresses_;
  std::vector<std::unique_ptr<StreamWorker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace timepool::dnsd
