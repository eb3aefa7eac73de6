// ConnectionLoad: the frame of a load of connections, with TLS or without: so many at a time, each
// in a place where the next one begins when it ends. What is said on one is the derived class's.
// One thread.
//
// Bounds: a run ends after `count` connections or `duration`, whichever is first; what has begun
// then is waited for `patience` at the longest.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "net/reactor.h"
#include "net/tls_session.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::load {

// What every such report has.
struct ConnectionCounts {
  std::uint64_t begun = 0;
  std::uint64_t failed = 0;   // no connection, TLS failed, ended too early, or too late
  std::string first_failure;  // of them; empty: none
  Duration elapsed;           // from the first to the end of the last
};

struct ConnectionLimits {
  Endpoint target;
  std::uint64_t count = 0;
  Duration duration;
  int inflight = 1;   // connections at a time
  Duration patience;  // for each
};

struct LoadConnection {
  sys::Fd socket;
  std::unique_ptr<net::TlsSession> tls;  // null: none
  net::Watch watch;
  MonoTime began;
  bool open = false;
};

// `Place` is a LoadConnection with what a connection is about.
template <class Place>
class ConnectionLoad {
 protected:
  ConnectionLoad(ConnectionLimits limits, ConnectionCounts& counts)
      : limits_(limits), counts_(counts), places_(static_cast<std::size_t>(limits.inflight)) {}
  ~ConnectionLoad() = default;

  // `self` has begin(Place&), which makes `tls` where there is to be one, and handle_ready(Place&).
  template <class Self>
  void run(Self& self) {
    const MonoTime start = sys::mono_now();
    const MonoTime stop_at = start + limits_.duration;
    for (;;) {
      for (Place& place : places_) {
        if (place.open || counts_.begun >= limits_.count || sys::mono_now() >= stop_at) continue;
        open(self, place);
      }
      if (open_ == 0) break;
      reactor_.run_once(Duration::milliseconds(100));
      end_late_ones();
    }
    counts_.elapsed = sys::mono_now() - start;
  }

  void finish(Place& place, std::string why) {
    ++counts_.failed;
    note(std::move(why));
    next(place);
  }
  void note(std::string why) {
    if (counts_.first_failure.empty()) counts_.first_failure = std::move(why);
  }
  // It ended, well or not.
  void next(Place& place) {
    place.watch.stop();
    place.tls.reset();
    place.socket.reset();
    --open_;
    // The next begins in the loop: from here a server that refuses at once would nest them.
    place.open = false;
  }

 private:
  template <class Self>
  void open(Self& self, Place& place) {
    ++counts_.begun;
    ++open_;
    place.open = true;
    place.began = sys::mono_now();
    const Result<void> ready = self.begin(place);
    if (!ready.ok()) return finish(place, ready.error().text());
    const bool v4 = limits_.target.address.is_v4();
    auto socket = sys::make_socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM);
    if (!socket.ok()) return finish(place, socket.error().text());
    place.socket = std::move(socket).value();
    const int fd = place.socket.number();
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_storage address{};
    const socklen_t length = sys::to_sockaddr(limits_.target, address);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), length) < 0 &&
        errno != EINPROGRESS) {
      return finish(place, system_error(errno, "connect").text());
    }
    place.watch = reactor_.watch(fd, POLLOUT, [&self, &place](short) { self.handle_ready(place); });
  }

  void end_late_ones() {
    const MonoTime now = sys::mono_now();
    for (Place& place : places_) {
      if (place.open && now - place.began > limits_.patience) finish(place, "no answer in time");
    }
  }

  const ConnectionLimits limits_;
  ConnectionCounts& counts_;
  net::Reactor reactor_;
  std::vector<Place> places_;
  std::size_t open_ = 0;
};

}  // namespace timepool::load
