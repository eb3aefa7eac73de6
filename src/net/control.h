// The control socket of a daemon: a Unix stream socket, one JSON object a line:
//   {"command": "sources", ...}  ->  {"ok": true, ...}  or  {"ok": false, "error": "..."}
// The server runs on the reactor and never blocks it; the client blocks with a timeout. Who may use
// it is decided by the socket's file mode.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/acceptor.h"
#include "net/reactor.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::net {

struct ControlOptions {
  std::string path;
  unsigned mode = 0660;
  std::size_t max_connections = 32;  // one more is refused
  std::size_t max_line = 64 << 10;   // a longer request ends the connection with an error
  Duration idle_timeout = Duration::seconds(60);
  std::string setting = "[control] socket";  // named in errors
};

class ControlServer {
 public:
  // Answers a request's object; an error becomes {"ok": false, "error": its text}.
  using Command = std::function<Result<boost::json::object>(const boost::json::object& request)>;

  // Listens. A socket file that nobody answers is replaced; one that somebody does is an error, and
  // so is a file of another kind.
  static Result<std::unique_ptr<ControlServer>> create(Reactor& reactor, ControlOptions options);
  ~ControlServer();

  // `help` is one line for the command "help", which is always there.
  void add(const std::string& name, const std::string& help, Command command);
  std::size_t connections() const { return connections_.size(); }

 private:
  struct Connection;
  struct Entry {
    std::string help;
    Command command;
  };

  ControlServer(Reactor& reactor, ControlOptions options);
  void take(sys::Fd fd);
  void on_ready(Connection& connection, short ready);
  bool read_some(Connection& connection);
  void take_lines(Connection& connection);
  bool flush(Connection& connection);
  void close_idle();
  void close(Connection& connection);
  std::string answer(std::string_view line) const;
  Result<boost::json::object> dispatch(const boost::json::object& request) const;

  Reactor& reactor_;
  ControlOptions options_;
  Acceptor acceptor_;
  Timer idle_timer_;
  std::map<std::string, Entry> commands_;
  std::list<std::unique_ptr<Connection>> connections_;
};

// Sends `request` to the daemon at `path` and waits for its answer. Errors: nobody listens there
// (says so, with the path), a timeout, or the answer's own error.
Result<boost::json::object> control_request(const std::string& path,
                                            const boost::json::object& request,
                                            Duration timeout = Duration::seconds(5));

}  // namespace timepool::net
