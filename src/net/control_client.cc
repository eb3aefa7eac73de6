#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <span>

#include "net/control.h"
#include "net/unix_socket.h"
#include "sys/clock.h"

namespace timepool::net {
namespace {

// Largest answer taken: a thousand sources with all their numbers are under 1 MiB.
constexpr std::size_t kMaxAnswer = 64 << 20;

// How long a daemon that many want to talk to at once is waited for.
constexpr Duration kConnectPatience = Duration::seconds(5);

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

// As recv(2); adds the descriptors that came with the bytes.
ssize_t receive_with_descriptors(int fd, std::span<char> room, std::vector<sys::Fd>& descriptors) {
  iovec part{room.data(), room.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kMaxControlDescriptors * sizeof(int))>
      control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t numbers = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < numbers; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof number, sizeof number);
      descriptors.emplace_back(number);
    }
  }
  return count;
}

Result<std::string> receive_line(int fd, MonoTime deadline, const std::string& what,
                                 std::vector<sys::Fd>& descriptors) {
  std::string out;
  std::array<char, 16384> buffer;
  for (;;) {
    TRY(wait_for(fd, POLLIN, deadline, what));
    const ssize_t count = receive_with_descriptors(fd, buffer, descriptors);
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

Result<ControlClient> ControlClient::open(const std::string& path) {
  Result<sys::Fd> fd = connect_unix(path, kConnectPatience);
  if (!fd.ok()) {
    Error error = std::move(fd).error();
    error.detail += error.code == ErrorCode::kDenied
                        ? " (only the socket's owner and group may: see ls -l " + path + ")"
                        : " (is the daemon running?)";
    return fail(std::move(error));
  }
  return ControlClient(std::move(fd).value(), "control socket " + path);
}

Result<ControlClient::Answer> ControlClient::request(const boost::json::object& request,
                                                     Duration timeout) {
  const MonoTime deadline = sys::mono_now() + timeout;
  TRY(send_all(fd_.number(), boost::json::serialize(request) + "\n", deadline, what_));
  Answer out;
  const std::string line = TRY(receive_line(fd_.number(), deadline, what_, out.descriptors));
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(line, error);
  boost::json::object* answer = value.if_object();
  if (error || answer == nullptr) {
    return fail(Error{ErrorCode::kInvalid, what_, "the answer is not a JSON object"});
  }
  const boost::json::value* ok = answer->if_contains("ok");
  if (ok != nullptr && ok->is_bool() && ok->get_bool()) {
    out.object = std::move(*answer);
    return out;
  }
  const boost::json::value* text = answer->if_contains("error");
  return fail(Error{ErrorCode::kInvalid, what_,
                    text != nullptr && text->is_string() ? std::string(text->get_string())
                                                         : std::string("refused")});
}

bool ControlClient::ended() const {
  pollfd polled{fd_.number(), POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR)) != 0;
}

Result<boost::json::object> control_request(const std::string& path,
                                            const boost::json::object& request, Duration timeout) {
  ControlClient client = TRY(ControlClient::open(path));
  return std::move(TRY(client.request(request, timeout)).object);
}

}  // namespace timepool::net
