// StreamWorker: one thread's share of the connections of DNS over TCP (RFC 7766) or TLS (RFC 7858):
// any number of queries on a connection, also sent ahead of the answers, which go out in the order
// of the queries and as many together as are ready. Several workers accept at the same listening
// sockets. What a connection holds is bounded, in memory and in time: see the constants.
//
// run() is for its own thread; the rest is for the main one, counters() and handler().counts() for
// any.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "dns/asked.h"
#include "dnsd/query_handler.h"
#include "dnsd/stream_counters.h"
#include "dnsd/stream_gate.h"
#include "dnsd/tls_source.h"
#include "net/tls_session.h"
#include "sys/fd.h"

namespace timepool::dnsd {

class StreamWorker {
 public:
  // Taken from one connection before the others get their turn.
  static constexpr std::size_t kReadChunk = 16'384;
  // Answers gathered before they are sent, at the least one of the longest.
  static constexpr std::size_t kWriteChunk = 131'072;
  // While a client leaves any of its answers unsent, none of its further queries is read: of one
  // connection kWriteChunk of answers, and kReadChunk and one message of queries, are held.
  static constexpr std::size_t kMaxMessage = 65'535;
  // Messages of one long answer before the others get their turn.
  static constexpr int kStreamBurst = 16;
  // Connections taken at one listening socket before the others are looked after: a handshake of
  // TLS takes a hundred times what a query does.
  static constexpr int kAcceptBatch = 64;
  static constexpr int kTlsAcceptBatch = 4;
  // How long listening sockets are left alone when the system has no descriptors or memory.
  static constexpr Duration kPause = Duration::milliseconds(100);
  // How long a connection may be idle while another process is taking over.
  static constexpr Duration kDrainIdle = Duration::milliseconds(500);

  // `tls`: where connections get it from; null: plain TCP. All that is given outlives this.
  static Result<std::unique_ptr<StreamWorker>> create(StreamGate& gate, const TlsSource* tls,
                                                      std::unique_ptr<QueryHandler> handler);
  ~StreamWorker();
  StreamWorker(const StreamWorker&) = delete;
  StreamWorker& operator=(const StreamWorker&) = delete;

  // These listening sockets, which do not block and outlive it; before run().
  void set_listeners(const std::vector<int>& listeners);

  // Serves until quit().
  void run();

  enum class Mode : std::uint8_t {
    kAccept,  // serves
    kHold,    // new connections wait in the listening sockets; what is open is served
    kDrain,   // besides, idle ones are closed soon
    kQuit,
  };
  // Waits until it is so. The thread must run.
  void set_mode(Mode mode);

  const StreamCounters& counters() const { return counters_; }
  const QueryHandler& handler() const { return *handler_; }

 private:
  // What epoll tells of; first member of what it points to.
  enum class Kind : std::uint8_t { kWake, kListener, kConnection };
  struct Watched {
    Kind kind = Kind::kWake;
    int fd = -1;
  };
  struct Connection;
  using Connections = std::list<Connection>;

  StreamWorker(StreamGate& gate, const TlsSource* tls, std::unique_ptr<QueryHandler> handler);
  Result<void> open();
  void take_mode();
  void watch_listeners(bool on);
  int timeout_ms() const;
  void accept_some(int listener);
  void handle_accept_error(int listener, int error);
  void admit(sys::Fd socket, const IpAddress& from);
  bool make_room();
  void begin(sys::Fd socket, const IpAddress& from);

  void handle_ready(Connection& it, std::uint32_t events);
  void receive(Connection& it);
  void take_tls(Connection& it, Bytes octets);
  void note_handshake(Connection& it);
  void take_plain(Connection& it, Bytes octets);
  std::size_t answer(Connection& it, Bytes queries);
  dns::Rx rx_of(const Connection& it) const;
  void put_next(Connection& it);
  void gather(std::size_t size);
  bool push(Connection& it);
  bool flush(Connection& it);
  void settle(Connection& it);
  void moved(Connection& it);
  void end(Connection& it, StreamEnd why);
  void close_idle();
  Duration idle_limit() const;

  StreamGate& gate_;
  const TlsSource* tls_;
  std::unique_ptr<QueryHandler> handler_;
  StreamCounters counters_;
  sys::Fd epoll_;
  sys::Fd wake_;
  Watched wake_watched_;
  std::vector<Watched> listeners_;
  Connections connections_;  // the front moved last the longest ago
  Connections ended_;        // since the last look at events, which may still name them
  std::vector<std::byte> room_;
  std::vector<std::byte> plain_;  // with TLS
  std::vector<std::byte> out_;
  std::size_t out_size_ = 0;
  MonoTime now_;
  std::uint32_t unix_now_ = 0;
  std::uint16_t keepalive_ = 0;  // told to clients, in tenths of a second
  bool accepting_ = false;
  MonoTime paused_until_;
  bool paused_ = false;
  Mode mode_ = Mode::kHold;
  std::atomic<Mode> wanted_{Mode::kHold};
  std::atomic<Mode> taken_{Mode::kHold};
};

}  // namespace timepool::dnsd
