// The control socket of a daemon: a Unix stream socket, one JSON object a line:
//   {"command": "sources", ...}  ->  {"ok": true, ...}  or  {"ok": false, "error": "..."}
// The server runs on the reactor and never blocks it; the client blocks with a timeout. Who may use
// it is decided by the socket's file mode. An answer may bring descriptors (SCM_RIGHTS), which come
// with its first byte.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

// Who asks, as the kernel says (SO_PEERCRED).
struct ControlPeer {
  std::uint64_t connection = 0;  // no two have the same
  uid_t user = 0;
  pid_t process = 0;
};

// Descriptors in one answer at the most; the kernel's limit is 253.
inline constexpr std::size_t kMaxControlDescriptors = 64;

struct ControlAnswer {
  boost::json::object object;
  std::vector<int> descriptors;  // duplicates of them are sent
};

class ControlServer {
 public:
  // Answers a request's object; an error becomes {"ok": false, "error": its text}.
  using Command = std::function<Result<boost::json::object>(const boost::json::object& request)>;

  using PeerCommand = std::function<Result<ControlAnswer>(const boost::json::object& request,
                                                          const ControlPeer& peer)>;

  // Listens. A socket file that nobody answers is replaced; one that somebody does is an error, and
  // so is a file of another kind. `listener`: a socket that listens at the path already, of the
  // process that is taken over from; the file is that one's until own_file().
  static Result<std::unique_ptr<ControlServer>> create(Reactor& reactor, ControlOptions options,
                                                       sys::Fd listener = {});
  // Removes the socket's file if it is this process's.
  ~ControlServer();

  // `help` is one line for the command "help", which is always there.
  void add(const std::string& name, const std::string& help, Command command);
  // For commands that must know who asks, or answer with descriptors.
  void add_for_peer(const std::string& name, const std::string& help, PeerCommand command);
  // Called when a connection is over, whoever ended it.
  void on_closed(std::function<void(std::uint64_t connection)> callback) {
    closed_ = std::move(callback);
  }
  std::size_t connections() const { return connections_.size(); }

  int listener() const { return acceptor_.listener(); }
  // Who wants to connect waits, for resume() or for another process with the same listener.
  void pause() { acceptor_.hold(); }
  void resume() { acceptor_.resume(); }
  void own_file(bool own) { owns_file_ = own; }

 private:
  struct Connection;
  struct Entry {
    std::string help;
    PeerCommand command;
  };

  ControlServer(Reactor& reactor, ControlOptions options);
  void take(sys::Fd fd);
  void on_ready(Connection& connection, short ready);
  bool read_some(Connection& connection);
  void take_lines(Connection& connection);
  bool flush(Connection& connection);
  void close_idle();
  void close(Connection& connection);
  void answer(Connection& connection, std::string_view line) const;
  Result<ControlAnswer> dispatch(const boost::json::object& request, const ControlPeer& peer) const;

  Reactor& reactor_;
  ControlOptions options_;
  Acceptor acceptor_;
  bool owns_file_ = true;
  std::uint64_t next_connection_ = 1;
  std::function<void(std::uint64_t)> closed_;
  Timer idle_timer_;
  std::map<std::string, Entry> commands_;
  std::list<std::unique_ptr<Connection>> connections_;
};

// A connection to a daemon, for several requests in a row; it blocks.
class ControlClient {
 public:
  // Errors: nobody listens at `path` (kUnavailable or kNotFound), or we may not (kDenied).
  static Result<ControlClient> open(const std::string& path);

  struct Answer {
    boost::json::object object;
    std::vector<sys::Fd> descriptors;
  };
  // Errors: no answer in time, the connection's end, or the answer's own error (kInvalid).
  Result<Answer> request(const boost::json::object& request,
                         Duration timeout = Duration::seconds(5));
  // The daemon ended the connection, or ended itself.
  bool ended() const;

 private:
  ControlClient(sys::Fd fd, std::string what) : fd_(std::move(fd)), what_(std::move(what)) {}
  sys::Fd fd_;
  std::string what_;  // for errors
};

// Sends `request` to the daemon at `path` and waits for its answer. Errors: nobody listens there
// (says so, with the path), a timeout, or the answer's own error.
Result<boost::json::object> control_request(const std::string& path,
                                            const boost::json::object& request,
                                            Duration timeout = Duration::seconds(5));

}  // namespace timepool::net
