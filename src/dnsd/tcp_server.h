// TcpServer: DNS over TCP (RFC 7766) on the reactor: any number of queries on a connection, also
// sent ahead of the answers, which go out in the order of the queries. Connections are bounded in
// number, by client and in what they may leave unread; idle ones are closed. Main thread only.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "base/ip.h"
#include "config/dnsd.h"
#include "dnsd/query_handler.h"
#include "net/reactor.h"
#include "sys/fd.h"

namespace timepool::dnsd {

struct TcpCounts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;      // beyond max_per_client
  std::uint64_t crowded_out = 0;  // closed for a newer one at max_connections
  std::uint64_t timed_out = 0;
  std::uint64_t queries = 0;
  std::uint64_t broken = 0;  // closed in the middle of a message, or for one that gets no answer
  std::size_t open = 0;
};

class TcpServer {
 public:
  // Errors: the address that can't be bound, naming [server] listen.
  static Result<std::unique_ptr<TcpServer>> start(net::Reactor& reactor,
                                                  const std::vector<Endpoint>& listen,
                                                  const config::DnsdTcpConfig& config,
                                                  QueryHandler& handler);
  ~TcpServer();

  // For connections from now on, and at once for idle ones.
  void reconfigure(const config::DnsdTcpConfig& config) { config_ = config; }
  // From any thread.
  TcpCounts counts() const;

 private:
  struct Connection;
  struct Listener {
    sys::Fd fd;
    net::Watch watch;
  };
  // The front moved last the longest ago.
  using Connections = std::list<std::unique_ptr<Connection>>;

  TcpServer(net::Reactor& reactor, const config::DnsdTcpConfig& config, QueryHandler& handler);
  Result<void> listen_on(const Endpoint& endpoint);
  void accept_from(int listener);
  void pause_accepting();
  void admit(sys::Fd fd, const IpAddress& client);
  void on_ready(Connections::iterator at, short ready);
  bool read_some(Connection& connection);
  void answer_all(Connection& connection);
  bool flush(Connection& connection);
  void close(Connections::iterator at);
  void close_idle();

  net::Reactor& reactor_;
  config::DnsdTcpConfig config_;
  QueryHandler& handler_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  Connections connections_;
  std::map<IpAddress, unsigned> by_client_;
  std::vector<std::byte> reply_;
  net::Timer idle_timer_;
  net::Timer accept_timer_;
  // As TcpCounts; written by the main thread alone.
  struct Counters {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> crowded_out{0};
    std::atomic<std::uint64_t> timed_out{0};
    std::atomic<std::uint64_t> queries{0};
    std::atomic<std::uint64_t> broken{0};
    std::atomic<std::size_t> open{0};
  };
  Counters counts_;
};

}  // namespace timepool::dnsd
