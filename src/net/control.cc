#include "net/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>

#include "net/unix_socket.h"
#include "sys/clock.h"

namespace timepool::net {
namespace json = boost::json;
namespace {

// Answers that wait for a slow reader; past it the connection is closed.
constexpr std::size_t kMaxPending = 8 << 20;
// Deeper nesting than any request has.
constexpr std::size_t kMaxDepth = 16;

std::string failed(std::string_view text) {
  json::object out;
  out["ok"] = false;
  out["error"] = text;
  return json::serialize(out) + "\n";
}

// The request's object, or what is wrong and at which byte.
Result<json::object> parse_request(std::string_view line) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::parser parser({}, options);
  json::error_code error;
  const std::size_t used = parser.write_some(line.data(), line.size(), error);
  if (!error && line.find_first_not_of(" \t\r", used) != std::string_view::npos) {
    return fail(Error{ErrorCode::kInvalid, "request",
                      "more than one JSON value in a line, from byte " + std::to_string(used + 1)});
  }
  if (error) {
    return fail(Error{ErrorCode::kInvalid, "request",
                      "not JSON at byte " + std::to_string(used + 1) + ": " + error.message()});
  }
  json::value value = parser.release();
  if (!value.is_object()) {
    return fail(Error{ErrorCode::kInvalid, "request", "not a JSON object"});
  }
  return std::move(value.get_object());
}

}  // namespace

struct ControlServer::Connection {
  sys::Fd fd;
  Watch watch;
  std::string input;
  std::string output;
  MonoTime last_used;
  bool closing = false;  // once the output is sent
};

ControlServer::ControlServer(Reactor& reactor, ControlOptions options)
    : reactor_(reactor), options_(std::move(options)), acceptor_(reactor) {}

ControlServer::~ControlServer() {
  if (acceptor_.listening()) ::unlink(options_.path.c_str());
}

Result<std::unique_ptr<ControlServer>> ControlServer::create(Reactor& reactor,
                                                             ControlOptions options) {
  std::unique_ptr<ControlServer> out(new ControlServer(reactor, std::move(options)));
  Result<sys::Fd> listener = listen_unix(out->options_.path, out->options_.mode);
  if (!listener.ok()) {
    Error error = std::move(listener).error();
    error.operation = out->options_.setting + ": " + error.operation;
    return fail(std::move(error));
  }
  ControlServer* self = out.get();
  out->acceptor_.start(std::move(listener).value(),
                       [self](sys::Fd fd) { self->take(std::move(fd)); });
  return out;
}

void ControlServer::add(const std::string& name, const std::string& help, Command command) {
  commands_[name] = {help, std::move(command)};
}

void ControlServer::take(sys::Fd fd) {
  if (connections_.size() >= options_.max_connections) {
    const std::string text = failed("too many control connections");
    const ssize_t sent = ::send(fd.number(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    static_cast<void>(sent);
    return;
  }
  connections_.push_back(std::make_unique<Connection>());
  Connection& connection = *connections_.back();
  connection.fd = std::move(fd);
  connection.last_used = sys::mono_now();
  connection.watch =
      reactor_.watch(connection.fd.number(), POLLIN,
                     [this, &connection](short ready) { on_ready(connection, ready); });
  close_idle();
}

void ControlServer::on_ready(Connection& connection, short ready) {
  connection.last_used = sys::mono_now();
  bool alive = (ready & (POLLERR | POLLNVAL)) == 0;
  if (alive && (ready & (POLLIN | POLLHUP)) != 0 && !connection.closing) {
    connection.closing = !read_some(connection);
    take_lines(connection);
  }
  alive = flush(connection) && alive;
  if (!alive || (connection.closing && connection.output.empty())) close(connection);
}

// False when the other side ended.
bool ControlServer::read_some(Connection& connection) {
  std::array<char, 16384> buffer;
  const ssize_t count = ::recv(connection.fd.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  connection.input.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

void ControlServer::take_lines(Connection& connection) {
  std::size_t start = 0;
  for (;;) {
    const std::size_t end = connection.input.find('\n', start);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(connection.input).substr(start, end - start);
    if (line.size() > options_.max_line) break;
    connection.output += answer(line);
    start = end + 1;
  }
  connection.input.erase(0, start);
  if (connection.input.size() > options_.max_line) {
    connection.output +=
        failed("request longer than " + std::to_string(options_.max_line) + " bytes");
    connection.input.clear();
    connection.closing = true;
  }
}

bool ControlServer::flush(Connection& connection) {
  std::string& output = connection.output;
  while (!output.empty()) {
    const ssize_t count =
        ::send(connection.fd.number(), output.data(), output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) break;
    output.erase(0, static_cast<std::size_t>(count));
  }
  connection.watch.set_events(output.empty() ? POLLIN : POLLOUT);
  return output.size() <= kMaxPending;
}

void ControlServer::close(Connection& connection) {
  connections_.remove_if([&](const auto& held) { return held.get() == &connection; });
}

void ControlServer::close_idle() {
  const MonoTime now = sys::mono_now();
  connections_.remove_if(
      [&](const auto& connection) { return now - connection->last_used >= options_.idle_timeout; });
  if (connections_.empty()) return;
  MonoTime first = MonoTime::max();
  for (const auto& connection : connections_) first = std::min(first, connection->last_used);
  idle_timer_ = reactor_.at(first + options_.idle_timeout, [this] { close_idle(); });
}

std::string ControlServer::answer(std::string_view line) const {
  Result<json::object> request = parse_request(line);
  if (!request.ok()) return failed(request.error().text());
  Result<json::object> result = dispatch(*request);
  if (!result.ok()) return failed(result.error().text());
  json::object out;
  out["ok"] = true;
  for (auto& [key, value] : *result) out.insert_or_assign(key, std::move(value));
  return json::serialize(out) + "\n";
}

Result<json::object> ControlServer::dispatch(const json::object& request) const {
  const json::value* name = request.if_contains("command");
  if (name == nullptr || !name->is_string()) {
    return fail(Error{ErrorCode::kInvalid, "request", "no \"command\" string"});
  }
  const std::string key(name->get_string());
  if (key == "help") {
    json::object list;
    for (const auto& [command, entry] : commands_) list[command] = entry.help;
    json::object out;
    out["commands"] = std::move(list);
    return out;
  }
  const auto it = commands_.find(key);
  if (it != commands_.end()) return it->second.command(request);
  std::string known = "help";
  for (const auto& [command, entry] : commands_) known += ", " + command;
  return fail(Error{ErrorCode::kNotFound, "unknown command \"" + key.substr(0, 64) + "\"",
                    "known are " + known});
}

}  // namespace timepool::net
