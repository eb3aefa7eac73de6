#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>

#include "net/control.h"
#include "net/unix_socket.h"
#include "sys/clock.h"

namespace timepool::net {
namespace {

// Largest answer taken: a thousand sources with all their numbers are under 1 MiB.
constexpr std::size_t kMaxAnswer = 64 << 20;

Result<void> wait_for(int fd, short events, MonoTime deadline, const std::string& what) {
  for (;;) {
    const Duration left = deadline - sys::mono_now();
    if (left <= Duration()) return fail(Error{ErrorCode::kUnavailable, what, "no answer in time"});
    pollfd polled{fd, events, 0};
    const int count = ::poll(&polled, 1, static_cast<int>(left.ns() / 1'000'000) + 1);
    if (count > 0) return {};
    if (count < 0 && errno != EINTR) return fail(system_error(errno, what));
  }
}

Result<void> send_all(int fd, std::string_view bytes, MonoTime deadline, const std::string& what) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (count < 0 && errno == EAGAIN) {
      TRY(wait_for(fd, POLLOUT, deadline, what));
    } else if (count == 0 || errno != EINTR) {
      return fail(system_error(errno, what));
    }
  }
  return {};
}

Result<std::string> receive_line(int fd, MonoTime deadline, const std::string& what) {
  std::string out;
  std::array<char, 16384> buffer;
  for (;;) {
    TRY(wait_for(fd, POLLIN, deadline, what));
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count < 0) return fail(system_error(errno, what));
    if (count == 0) {
      return fail(Error{ErrorCode::kUnavailable, what, "the connection ended before an answer"});
    }
    out.append(buffer.data(), static_cast<std::size_t>(count));
    if (out.ends_with('\n')) return out;
    if (out.size() > kMaxAnswer) return fail(Error{ErrorCode::kExhausted, what, "answer too long"});
  }
}

}  // namespace

Result<boost::json::object> control_request(const std::string& path,
                                            const boost::json::object& request, Duration timeout) {
  const std::string what = "control socket " + path;
  const MonoTime deadline = sys::mono_now() + timeout;
  Result<sys::Fd> fd = connect_unix(path);
  if (!fd.ok()) {
    Error error = std::move(fd).error();
    error.detail += error.code == ErrorCode::kDenied
                        ? " (only the socket's owner and group may: see ls -l " + path + ")"
                        : " (is the daemon running?)";
    return fail(std::move(error));
  }
  TRY(send_all(fd->number(), boost::json::serialize(request) + "\n", deadline, what));
  const std::string line = TRY(receive_line(fd->number(), deadline, what));
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(line, error);
  const boost::json::object* answer = value.if_object();
  if (error || answer == nullptr) {
    return fail(Error{ErrorCode::kInvalid, what, "the answer is not a JSON object"});
  }
  const boost::json::value* ok = answer->if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->get_bool()) return *answer;
  const boost::json::value* text = answer->if_contains("error");
  return fail(Error{ErrorCode::kInvalid, what,
                    text != nullptr && text->is_string() ? std::string(text->get_string())
                                                         : std::string("refused")});
}

}  // namespace timepool::net
