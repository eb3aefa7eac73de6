// ShortConnections: takes the connections of a listening socket that each say little and end soon,
// on the reactor: nothing blocks, no thread. What is said on one is a Dialogue's. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "base/byte_reader.h"
#include "net/acceptor.h"
#include "net/reactor.h"
#include "sys/fd.h"

namespace timepool::net {

class ShortConnections {
 public:
  struct Limits {
    std::size_t most = 8;                   // one more ends the oldest
    Duration life = Duration::seconds(10);  // from its beginning until it has read all
  };

  // One connection's.
  class Dialogue {
   public:
    virtual ~Dialogue() = default;
    // Some octets that came, at most 4096; appends what is to be sent to `out`. False: that was the
    // last, and the connection ends when all is sent.
    virtual bool take(Bytes octets, std::string& out) = 0;
  };
  // Of a new connection; null ends it at once.
  using Begin = std::function<std::unique_ptr<Dialogue>()>;

  ShortConnections(Reactor& reactor, Limits limits, Begin begin);
  ~ShortConnections();
  ShortConnections(const ShortConnections&) = delete;
  ShortConnections& operator=(const ShortConnections&) = delete;

  // `listener` listens already and does not block.
  void start(sys::Fd listener);
  int listener() const { return acceptor_.listener(); }
  std::size_t open() const { return connections_.size(); }

 private:
  struct Connection;
  using Connections = std::list<std::unique_ptr<Connection>>;

  void take(sys::Fd fd);
  void on_ready(Connections::iterator at, short ready);
  void close_old();

  Reactor& reactor_;
  Limits limits_;
  Begin begin_;
  Acceptor acceptor_;
  Timer life_timer_;
  Connections connections_;  // the oldest first
};

}  // namespace timepool::net
