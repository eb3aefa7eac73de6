// KeyWorker: accepts connections of key establishment and serves them on one reactor, many at a
// time, each within its time. Several workers, each on a thread and reactor of its own, may share
// listening sockets and one gate. One thread, but counters() and open() are for any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "net/reactor.h"
#include "ntpd/key_connection.h"
#include "ntpd/key_counters.h"
#include "ntpd/key_gate.h"
#include "ntpd/key_service.h"
#include "nts/cookies.h"
#include "sys/random.h"

namespace timepool::ntpd {

class KeyWorker {
 public:
  // Connections taken at one listening socket before the others are looked after.
  static constexpr int kAcceptBatch = 4;
  // How long listening sockets are left alone when the system has no descriptors or memory.
  static constexpr Duration kPause = Duration::milliseconds(100);
  // How long a client that has its answer may take to end the connection.
  static constexpr Duration kLinger = Duration::seconds(1);
  // At the limit of connections one that waits as long as this for its client gives place.
  static constexpr Duration kPatience = Duration::milliseconds(250);

  // Everything given outlives it.
  KeyWorker(net::Reactor& reactor, const NewestKeyService& service, KeyGate& gate,
            const AeadMaker& aeads);
  // Ends what is left of its connections.
  ~KeyWorker();
  KeyWorker(const KeyWorker&) = delete;
  KeyWorker& operator=(const KeyWorker&) = delete;

  // Accepts at these listening sockets, which do not block and outlive it.
  void start(const std::vector<int>& listeners);
  // Accepts no more; what has begun goes on.
  void stop();

  const KeyCounters& counters() const { return counters_; }
  const nts::Cookies& cookies() const { return cookies_; }
  // Connections now.
  std::size_t open() const { return open_.load(std::memory_order_relaxed); }

 private:
  struct Served {
    KeyConnection connection;
    net::Watch watch;
    MonoTime until;         // when it ends at the latest
    bool answered = false;  // in which of the two lists it is
  };
  using Connections = std::list<Served>;

  void accept_some(int listener);
  bool accept_one(int listener);
  bool make_room(MonoTime now);
  void take(sys::Fd socket, const IpAddress& from, std::shared_ptr<const KeyService> service,
            MonoTime now);
  void handle_ready(Connections::iterator at, short ready);
  void settle(Connections::iterator at);
  void remove(Connections::iterator at);
  void handle_timer();
  void set_timer();
  void pause();

  net::Reactor& reactor_;
  const NewestKeyService& service_;
  KeyGate& gate_;
  sys::KernelRandom kernel_random_;
  RandomPool random_{kernel_random_};
  nts::Cookies cookies_;
  KeyCounters counters_;
  std::vector<net::Watch> listeners_;
  net::Timer pause_;
  net::Timer timer_;
  // Both by the time at which they end, the first the soonest.
  Connections asking_;
  Connections waiting_;  // answered
  std::atomic<std::size_t> open_{0};
  std::array<std::byte, 16 << 10> room_;
};

}  // namespace timepool::ntpd
