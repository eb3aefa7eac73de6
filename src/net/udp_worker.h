// UdpServer<Handler>: answers datagrams on any number of addresses. With threads = N each of N
// workers has its own socket per address (SO_REUSEPORT: the kernel spreads the clients) and moves
// batches by recvmmsg and sendmmsg; with threads = 0 the same handler is called from the reactor
// with recvmsg and sendmsg. Replies leave from the address that the request came to.
//
// A Handler is an object per worker, called from its thread only:
//   void begin_batch();                    // take the newest state, once for up to 64 datagrams
//   std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);
//                                          // the reply's length; 0: no answer
// and, when its replies tell times, for the replies since begin_batch(), counted from 0:
//   void finish(std::size_t index, MutableBytes reply, UnixTime leaving);  // just before sending
//   bool wants_departures() const;
//   void departed(std::size_t index, UnixTime at);  // if it wants them: just after
// and, to know which replies the system took:
//   void settled(std::size_t index, bool sent);     // last of all
// and, when the kernel's own times of sending are worth having
// (UdpServerOptions::exact_departures):
//   std::uint64_t stamp_name(std::size_t index) const;  // what to call it by; 0: not wanted
//   void stamped(std::uint64_t name, UnixTime at);      // later, and between batches too
// Nothing is allocated and no lock is taken per datagram.
//
// create() binds, begin() answers, stop() ends the answering and keeps the sockets: what comes
// meanwhile waits in their queues, for begin() or for the process that they are handed to.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/ip.h"
#include "net/inherited_sockets.h"
#include "net/reactor.h"
#include "net/send_pace.h"
#include "net/stamp_log.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/udp_batch.h"
#include "sys/udp_socket.h"

namespace timepool::net {

struct UdpServerOptions {
  std::vector<Endpoint> listen;  // port 0: a free one
  unsigned threads = 0;          // at most kMaxWorkers
  bool pin_threads = false;      // worker i stays on the i-th CPU that the process may use
  bool rx_timestamps = true;
  std::size_t max_request = 2048;
  std::size_t max_reply = 2048;
  // The kernel's queue of what came while the worker was not running: 8 MiB hold about 80 ms at
  // 100,000 requests a second; pauses of 40 ms are seen on virtual machines (ADR 0017, 0029).
  int receive_buffer = 8 << 20;
  // All clients of one /24 or /48 come to one worker (sys/port_steering.h); else the system spreads
  // them by address and port.
  bool steer_by_prefix = false;
  bool interface_info = false;  // learn by which interface a datagram came
  // The kernel's times of sending for the replies of small batches, with threads.
  bool exact_departures = false;
  // Sockets of this program that are connected to one address may join later on a served port.
  bool share_port = false;
  std::string interface;                    // bind to this interface only
  std::string setting = "[server] listen";  // named in errors
  // Sockets to take instead of binding, of which those at no address of `listen` are drained by
  // begin(); null: none. Needed until create() returned.
  InheritedSockets* inherited = nullptr;
};

inline constexpr unsigned kMaxWorkers = 64;

// What one worker saw. Written by it, read by anyone.
struct alignas(64) UdpCounters {
  std::atomic<std::uint64_t> received{0};  // datagrams, truncated ones too
  std::atomic<std::uint64_t> sent{0};      // replies that the system took
  std::atomic<std::uint64_t> refused{0};   // replies that it did not: no route, no buffer
  std::atomic<std::uint64_t> errors{0};    // receive calls that failed
  std::atomic<std::uint64_t> batches{0};
  // Of the received, those that are done with: answered or dropped, and counted by the handler.
  std::atomic<std::uint64_t> settled{0};
};
struct UdpTotals {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t refused = 0;
  std::uint64_t errors = 0;
  std::uint64_t batches = 0;
};

// A handler whose replies tell when they leave.
template <class Handler>
concept TellsTimes =
    requires(Handler& handler, std::size_t index, MutableBytes reply, UnixTime at) {
      handler.finish(index, reply, at);
      { handler.wants_departures() } -> std::same_as<bool>;
      handler.departed(index, at);
    };

template <class Handler>
concept TakesSettled = requires(Handler& handler) { handler.settled(std::size_t{}, bool{}); };

template <class Handler>
concept TakesStamps =
    TellsTimes<Handler> && requires(Handler& handler, std::uint64_t name, UnixTime at) {
      { handler.stamp_name(std::size_t{}) } -> std::same_as<std::uint64_t>;
      handler.stamped(name, at);
    };

// One worker's sockets and counters, without its handler.
class UdpWorker {
 public:
  // `exact`: the sockets have tx_timestamps_on_demand.
  explicit UdpWorker(std::vector<sys::UdpSocket> sockets, bool exact = false)
      : sockets_(std::move(sockets)), stamps_(exact ? sockets_.size() : 0) {}
  std::vector<sys::UdpSocket>& sockets() { return sockets_; }
  const UdpCounters& counters() const { return counters_; }

  // Replies given to one sendmmsg: a whole batch, since each tells when it will leave
  // (net/send_pace.h): the last of them within 4 us as a rule, at 3 us for each (ADR 0029).
  static constexpr std::size_t kSendChunk = sys::UdpBatch::kSize;

  // Up to so many datagrams at once the kernel is asked when each reply left, which costs a system
  // call for each. Under more load the times that sendmmsg took must do.
  static constexpr std::size_t kStampedBatch = 4;

  // Relaxed and by one writer: a plain add.
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t count) {
    counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  // Answers what lies in `socket`, a batch; how many datagrams that was.
  template <class Handler>
  std::size_t run_batch(sys::UdpSocket& socket, sys::UdpBatch& batch, Handler& handler) {
    const Result<std::size_t> count = batch.receive(socket);
    if (!count.ok()) {
      add(counters_.errors, 1);
      return 0;
    }
    if (*count == 0) return 0;
    // Before any reply leaves: whoever has a reply finds its request counted, or waits for that
    // by wait_settled().
    add(counters_.batches, 1);
    add(counters_.received, *count);
    handler.begin_batch();
    Sent sent;
    for (std::size_t i = 0; i < *count; ++i) {
      const sys::Datagram& datagram = batch.datagram(i);
      const UnixTime received = datagram.received;
      const std::size_t length = handler(datagram, batch.request(i), batch.reply_room(i));
      if (length != 0) {
        const std::size_t reply = sent.replies + batch.queued();
        batch.reply(i, length, *count <= kStampedBatch && note(socket, handler, reply, received));
      }
      if (batch.queued() == kSendChunk) send(socket, batch, handler, sent);
    }
    if (batch.queued() > 0) send(socket, batch, handler, sent);
    add(counters_.sent, sent.replies - sent.refused);
    add(counters_.refused, sent.refused);
    settle(*count);
    if (*count <= kStampedBatch) after_stamped(socket, handler, sent.refused > 0);
    return *count;
  }

  // Takes in the kernel's times of sending that have come since.
  template <class Handler>
  void take_stamps(sys::UdpSocket& socket, Handler& handler) {
    if constexpr (TakesStamps<Handler>) {
      StampLog* log = log_of(socket);
      if (log == nullptr) return;
      std::array<sys::TransmitStamp, StampLog::kRoom> stamps;
      const std::size_t count = socket.take_stamps(stamps);
      for (std::size_t i = 0; i < count; ++i) {
        const auto name = log->take(stamps[i].number, stamps[i].at);
        if (name) handler.stamped(*name, stamps[i].at);
      }
    }
  }

  // Answers one datagram by recvmsg and sendmsg; false when there was none.
  template <class Handler>
  bool run_one(sys::UdpSocket& socket, MutableBytes request, MutableBytes reply, Handler& handler) {
    const Result<std::optional<sys::Datagram>> got = socket.receive(request);
    if (!got.ok()) {
      add(counters_.errors, 1);
      return false;
    }
    if (!got->has_value()) return false;
    const sys::Datagram& datagram = **got;
    handler.begin_batch();
    add(counters_.received, 1);
    add(counters_.batches, 1);
    const std::size_t length = handler(datagram, Bytes(request).first(datagram.length), reply);
    if (length == 0) {
      settle(1);
      return true;
    }
    if constexpr (TellsTimes<Handler>) handler.finish(0, reply.first(length), sys::unix_now());
    const bool sent = socket.send_to(Bytes(reply).first(length), datagram.from, datagram.to).ok();
    add(sent ? counters_.sent : counters_.refused, 1);
    if constexpr (TellsTimes<Handler>) {
      if (sent && handler.wants_departures()) handler.departed(0, sys::unix_now());
    }
    if constexpr (TakesSettled<Handler>) handler.settled(0, sent);
    settle(1);
    return true;
  }

  // Until what was received before the call is done with, at the most until `end`. Any thread.
  void wait_settled(MonoTime end) const {
    const std::uint64_t received = counters_.received.load(std::memory_order_relaxed);
    while (counters_.settled.load(std::memory_order_acquire) < received && sys::mono_now() < end) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

 private:
  struct Sent {
    std::size_t replies = 0;
    std::size_t refused = 0;
  };

  // Whoever sees it sees what the handler counted.
  void settle(std::uint64_t count) {
    const std::uint64_t before = counters_.settled.load(std::memory_order_relaxed);
    counters_.settled.store(before + count, std::memory_order_release);
  }

  // Null for a socket that is not of this worker: one that is drained before it is closed.
  StampLog* log_of(const sys::UdpSocket& socket) {
    for (std::size_t i = 0; i < stamps_.size(); ++i) {
      if (&sockets_[i] == &socket) return &stamps_[i];
    }
    return nullptr;
  }

  // Whether the kernel is to be asked when the `reply`th of this batch leaves.
  template <class Handler>
  bool note(const sys::UdpSocket& socket, Handler& handler, std::size_t reply, UnixTime received) {
    if constexpr (TakesStamps<Handler>) {
      const std::uint64_t name = stamps_.empty() ? 0 : handler.stamp_name(reply);
      StampLog* log = name == 0 ? nullptr : log_of(socket);
      if (log == nullptr) return false;
      log->note(name, received);
      stamped_ = true;
      return true;
    }
    return false;
  }

  template <class Handler>
  void after_stamped(sys::UdpSocket& socket, Handler& handler, bool refused) {
    if (!stamped_) return;
    stamped_ = false;
    if (!refused) return take_stamps(socket, handler);
    log_of(socket)->clear();
    socket.renumber_stamps();
  }

  // What is queued, finished by a handler whose replies tell when they leave.
  template <class Handler>
  void send(sys::UdpSocket& socket, sys::UdpBatch& batch, Handler& handler, Sent& sent) {
    const std::size_t count = batch.queued();
    const std::size_t first = sent.replies;
    sent.replies += count;
    if constexpr (!TellsTimes<Handler>) {
      sent.refused += batch.send(socket);
      settle_replies(batch, handler, first, count);
    } else {
      const UnixTime start = sys::unix_now();
      for (std::size_t i = 0; i < count; ++i) {
        handler.finish(first + i, batch.queued_reply(i), pace_.leaves(start, i, count));
      }
      const UnixTime begun = sys::unix_now();
      sent.refused += batch.send(socket);
      const UnixTime ended = sys::unix_now();
      pace_.note(start, begun, ended, count);
      for (std::size_t i = 0; handler.wants_departures() && i < count; ++i) {
        if (batch.was_refused(i)) continue;
        handler.departed(first + i, SendPace::left(begun, ended, i, count));
      }
      settle_replies(batch, handler, first, count);
    }
  }

  template <class Handler>
  static void settle_replies(const sys::UdpBatch& batch, Handler& handler, std::size_t first,
                             std::size_t count) {
    if constexpr (TakesSettled<Handler>) {
      for (std::size_t i = 0; i < count; ++i) handler.settled(first + i, !batch.was_refused(i));
    }
  }

  std::vector<sys::UdpSocket> sockets_;
  UdpCounters counters_;
  SendPace pace_;
  std::vector<StampLog> stamps_;  // one for each socket, or none
  bool stamped_ = false;          // this batch asked for some
};

// The sockets of all workers. A worker has one at each address in their order, or several where
// more were inherited than there are workers.
struct BoundWorkers {
  std::vector<std::unique_ptr<UdpWorker>> workers;  // at least one
  std::vector<Endpoint> addresses;                  // as bound
  // Every descriptor, address by address, those at one address in the order in which they joined.
  std::vector<int> descriptors;
  std::vector<sys::UdpSocket> surplus;  // inherited, at none of the addresses
};
// Another program on an address is an error even if it shares ports.
Result<BoundWorkers> bind_workers(const UdpServerOptions& options);
// Blocks signals, names the thread and pins it when asked.
void prepare_worker_thread(unsigned index, bool pin);
// An eventfd that wakes all workers for good once it is written.
Result<sys::Fd> make_stop_event();
void signal_stop_event(const sys::Fd& event);

template <class Handler>
class UdpServer {
 public:
  using MakeHandler = std::function<std::unique_ptr<Handler>(unsigned index)>;

  // Binds and answers.
  static Result<std::unique_ptr<UdpServer>> start(Reactor& reactor, const UdpServerOptions& options,
                                                  const MakeHandler& make_handler) {
    std::unique_ptr<UdpServer> out = TRY(create(reactor, options, make_handler));
    TRY(out->begin());
    return out;
  }
  // Binds. `make_handler(i)` gives worker i's handler, called here for each worker.
  static Result<std::unique_ptr<UdpServer>> create(Reactor& reactor,
                                                   const UdpServerOptions& options,
                                                   const MakeHandler& make_handler) {
    BoundWorkers bound = TRY(bind_workers(options));
    std::unique_ptr<UdpServer> out(new UdpServer(reactor, options, std::move(bound)));
    for (unsigned i = 0; i < out->workers_.size(); ++i) {
      out->handlers_.push_back(make_handler(i));
    }
    return out;
  }
  ~UdpServer() { stop(); }

  // Answers, first of all what waits at surplus sockets, which are closed then.
  Result<void> begin() {
    CHECK(threads_.empty() && watches_.empty());
    drain_surplus();
    if (options_.threads == 0) {
      watch_sockets();
      return {};
    }
    stop_ = TRY(make_stop_event());
    start_threads();
    return {};
  }
  // Ends the answering after the batch that a worker is at.
  void stop() {
    watches_.clear();
    if (stop_) signal_stop_event(stop_);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    stop_.reset();
  }

  // The bound addresses, with the ports that the system chose.
  const std::vector<Endpoint>& addresses() const { return bound_.addresses; }
  // To be handed over (InheritedSockets::add, in this order); they stay owned here.
  const std::vector<int>& descriptors() const { return bound_.descriptors; }
  // From now on handlers are told the interface (UdpServerOptions::interface_info).
  Result<void> learn_interfaces() {
    for (const auto& worker : workers_) {
      for (sys::UdpSocket& socket : worker->sockets()) TRY(socket.learn_interfaces());
    }
    return {};
  }
  std::size_t worker_count() const { return workers_.size(); }
  // What worker `index` counts is for its handler to publish by atomics.
  const Handler& handler(std::size_t index) const { return *handlers_[index]; }
  UdpTotals totals() const {
    UdpTotals out;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      const UdpTotals own = totals_of(i);
      out.received += own.received;
      out.sent += own.sent;
      out.refused += own.refused;
      out.errors += own.errors;
      out.batches += own.batches;
    }
    return out;
  }
  // Until what was received before the call is done with and counted, so that whoever has a reply
  // finds it so; a worker that takes longer than kSettling is not waited for.
  void wait_settled() const {
    const MonoTime end = sys::mono_now() + kSettling;
    for (const auto& worker : workers_) worker->wait_settled(end);
  }
  // Of one worker.
  UdpTotals totals_of(std::size_t index) const {
    const UdpCounters& counters = workers_[index]->counters();
    const auto read = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
    return {read(counters.received), read(counters.sent), read(counters.refused),
            read(counters.errors), read(counters.batches)};
  }

 private:
  // Datagrams taken from one socket before the reactor's other work gets its turn.
  static constexpr int kMaxPerRound = 64;

  // A batch takes some 200 us, unless its thread has to wait for a processor.
  static constexpr Duration kSettling = Duration::milliseconds(20);

  // Batches taken from surplus sockets at the most: a flood must not keep the server from
  // beginning.
  static constexpr int kMaxDrained = 1024;

  UdpServer(Reactor& reactor, const UdpServerOptions& options, BoundWorkers bound)
      : reactor_(reactor),
        options_(options),
        bound_(std::move(bound)),
        workers_(std::move(bound_.workers)) {
    options_.inherited = nullptr;
  }

  void drain_surplus() {
    if (bound_.surplus.empty()) return;
    sys::UdpBatch batch(options_.max_request, options_.max_reply);
    int left = kMaxDrained;
    for (sys::UdpSocket& socket : bound_.surplus) {
      while (left-- > 0 && workers_[0]->run_batch(socket, batch, *handlers_[0])) {
      }
    }
    bound_.surplus.clear();
  }

  void watch_sockets() {
    request_.resize(options_.max_request);
    reply_.resize(options_.max_reply);
    for (sys::UdpSocket& socket : workers_[0]->sockets()) {
      watches_.push_back(reactor_.watch(socket.fd(), POLLIN, [this, &socket](short) {
        for (int i = 0; i < kMaxPerRound; ++i) {
          if (!workers_[0]->run_one(socket, request_, reply_, *handlers_[0])) return;
        }
      }));
    }
  }

  void start_threads() {
    for (unsigned i = 0; i < workers_.size(); ++i) {
      threads_.emplace_back([this, i] {
        prepare_worker_thread(i, options_.pin_threads);
        run_worker(*workers_[i], *handlers_[i]);
      });
    }
  }

  void run_worker(UdpWorker& worker, Handler& handler) {
    sys::UdpBatch batch(options_.max_request, options_.max_reply);
    std::vector<pollfd> polled;
    for (const sys::UdpSocket& socket : worker.sockets()) {
      polled.push_back({socket.fd(), POLLIN, 0});
    }
    polled.push_back({stop_.number(), POLLIN, 0});
    for (;;) {
      ::poll(polled.data(), polled.size(), -1);
      if (polled.back().revents != 0) return;
      for (std::size_t i = 0; i + 1 < polled.size(); ++i) {
        if (polled[i].revents == 0) continue;
        if ((polled[i].revents & POLLERR) != 0) worker.take_stamps(worker.sockets()[i], handler);
        drain(worker, worker.sockets()[i], batch, handler);
      }
    }
  }

  // Batches until one finds nothing: under load more has come while the last was answered, and then
  // the call of poll() is saved.
  static void drain(UdpWorker& worker, sys::UdpSocket& socket, sys::UdpBatch& batch,
                    Handler& handler) {
    // A socket that is never empty must not keep the others waiting.
    constexpr int kMaxBatches = 16;
    for (int round = 0; round < kMaxBatches; ++round) {
      if (worker.run_batch(socket, batch, handler) == 0) return;
    }
  }

  Reactor& reactor_;
  UdpServerOptions options_;
  BoundWorkers bound_;
  std::vector<std::unique_ptr<UdpWorker>> workers_;
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::vector<std::byte> request_;
  std::vector<std::byte> reply_;
  std::vector<Watch> watches_;
  sys::Fd stop_;
  std::vector<std::thread> threads_;
};

}  // namespace timepool::net
