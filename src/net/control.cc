#include "net/control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/utf8.h"
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
  // It may repeat a part of what a client sent, or the name of a file.
  out["error"] = as_utf8(text);
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

ControlPeer peer_of(int fd) {
  // Nobody, should the kernel not say.
  ucred credentials{-1, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t length = sizeof credentials;
  ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length);
  return {0, credentials.uid, credentials.pid};
}

Result<std::vector<sys::Fd>> duplicates(const std::vector<int>& descriptors) {
  CHECK(descriptors.size() <= kMaxControlDescriptors);
  std::vector<sys::Fd> out;
  for (const int number : descriptors) {
    sys::Fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    if (!copy) return fail(system_error(errno, "duplicate a descriptor"));
    out.push_back(std::move(copy));
  }
  return out;
}

// As send(2); the descriptors go with the first byte.
ssize_t send_with_descriptors(int fd, std::string_view bytes,
                              const std::vector<sys::Fd>& descriptors) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kMaxControlDescriptors * sizeof(int))>
      control{};
  if (!descriptors.empty()) {
    std::array<int, kMaxControlDescriptors> numbers{};
    for (std::size_t i = 0; i < descriptors.size(); ++i) numbers[i] = descriptors[i].number();
    const std::size_t size = descriptors.size() * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), numbers.data(), size);
  }
  return ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

struct ControlServer::Connection {
  sys::Fd fd;
  Watch watch;
  ControlPeer peer;
  std::string input;
  std::string output;
  // To go with the first byte of the output; duplicates, so that they outlive the command.
  std::vector<sys::Fd> descriptors;
  MonoTime last_used;
  bool closing = false;  // once the output is sent
};

ControlServer::ControlServer(Reactor& reactor, ControlOptions options)
    : reactor_(reactor), options_(std::move(options)), acceptor_(reactor) {}

ControlServer::~ControlServer() {
  if (acceptor_.listening() && owns_file_) ::unlink(options_.path.c_str());
}

Result<std::unique_ptr<ControlServer>> ControlServer::create(Reactor& reactor,
                                                             ControlOptions options,
                                                             sys::Fd listener) {
  std::unique_ptr<ControlServer> out(new ControlServer(reactor, std::move(options)));
  if (listener) {
    out->owns_file_ = false;
  } else {
    Result<sys::Fd> made = listen_unix(out->options_.path, out->options_.mode);
    if (!made.ok()) {
      Error error = std::move(made).error();
      error.operation = out->options_.setting + ": " + error.operation;
      return fail(std::move(error));
    }
    listener = std::move(made).value();
  }
  ControlServer* self = out.get();
  out->acceptor_.start(std::move(listener), [self](sys::Fd fd) { self->take(std::move(fd)); });
  return out;
}

void ControlServer::add(const std::string& name, const std::string& help, Command command) {
  add_for_peer(name, help,
               [command = std::move(command)](const json::object& request, const ControlPeer&)
                   -> Result<ControlAnswer> { return ControlAnswer{TRY(command(request)), {}}; });
}

void ControlServer::add_for_peer(const std::string& name, const std::string& help,
                                 PeerCommand command) {
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
  connection.peer = peer_of(fd.number());
  connection.peer.connection = next_connection_++;
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
    answer(connection, line);
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
        send_with_descriptors(connection.fd.number(), output, connection.descriptors);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return false;
    if (count < 0) break;
    connection.descriptors.clear();
    output.erase(0, static_cast<std::size_t>(count));
  }
  connection.watch.set_events(output.empty() ? POLLIN : POLLOUT);
  return output.size() <= kMaxPending;
}

void ControlServer::close(Connection& connection) {
  const std::uint64_t number = connection.peer.connection;
  connections_.remove_if([&](const auto& held) { return held.get() == &connection; });
  if (closed_) closed_(number);
}

void ControlServer::close_idle() {
  const MonoTime now = sys::mono_now();
  std::vector<std::uint64_t> ended;
  connections_.remove_if([&](const auto& connection) {
    const bool idle = now - connection->last_used >= options_.idle_timeout;
    if (idle) ended.push_back(connection->peer.connection);
    return idle;
  });
  for (const std::uint64_t number : ended) {
    if (closed_) closed_(number);
  }
  if (connections_.empty()) return;
  MonoTime first = MonoTime::max();
  for (const auto& connection : connections_) first = std::min(first, connection->last_used);
  idle_timer_ = reactor_.at(first + options_.idle_timeout, [this] { close_idle(); });
}

void ControlServer::answer(Connection& connection, std::string_view line) const {
  Result<json::object> request = parse_request(line);
  if (!request.ok()) {
    connection.output += failed(request.error().text());
    return;
  }
  Result<ControlAnswer> result = dispatch(*request, connection.peer);
  if (result.ok() && !result->descriptors.empty()) {
    Result<std::vector<sys::Fd>> copies = duplicates(result->descriptors);
    if (!copies.ok()) {
      result = fail(std::move(copies).error());
    } else if (!connection.output.empty()) {
      result = fail(Error{ErrorCode::kInvalid, "request",
                          "the answers before it must be read before one with descriptors"});
    } else {
      connection.descriptors = std::move(copies).value();
    }
  }
  if (!result.ok()) {
    connection.output += failed(result.error().text());
    return;
  }
  json::object out;
  out["ok"] = true;
  for (auto& [key, value] : result->object) out.insert_or_assign(key, std::move(value));
  connection.output += json::serialize(out) + "\n";
}

Result<ControlAnswer> ControlServer::dispatch(const json::object& request,
                                              const ControlPeer& peer) const {
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
    return ControlAnswer{std::move(out), {}};
  }
  const auto it = commands_.find(key);
  if (it != commands_.end()) return it->second.command(request, peer);
  std::string known = "help";
  for (const auto& [command, entry] : commands_) known += ", " + command;
  return fail(Error{ErrorCode::kNotFound, "unknown command \"" + key.substr(0, 64) + "\"",
                    "known are " + known});
}

}  // namespace timepool::net
