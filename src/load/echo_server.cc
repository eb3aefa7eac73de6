#include "load/echo_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "load/generator.h"
#include "load/load_socket.h"
#include "sys/clock.h"
#include "sys/stream_socket.h"

namespace timepool::load {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kRoom = 2048;
constexpr int kReceiveBuffer = 8 << 20;
constexpr int kWaitMs = 100;
// RFC 1035 4.1.1: QR is the first bit of the third octet.
constexpr std::size_t kDnsHeader = 12;
constexpr std::byte kDnsResponse{0x80};

struct EchoBatch {
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> vectors{};
  std::array<sockaddr_storage, kBatch> peers{};
  std::array<std::array<std::byte, kRoom>, kBatch> buffers{};

  void ready_to_receive() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {buffers[i].data(), kRoom};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      headers[i].msg_hdr.msg_name = &peers[i];
      headers[i].msg_hdr.msg_namelen = sizeof(peers[i]);
    }
  }
  void ready_to_send(std::size_t count, std::optional<int> dns_answer) {
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i].iov_len = headers[i].msg_len;
      if (!dns_answer || headers[i].msg_len < kDnsHeader) continue;
      buffers[i][2] |= kDnsResponse;
      vectors[i].iov_len =
          std::min<std::size_t>(headers[i].msg_len + static_cast<unsigned>(*dns_answer), kRoom);
    }
  }
};

// What was sent back of one batch; none when nothing waited.
Result<std::uint64_t> echo_batch(int socket, std::optional<int> dns_answer, EchoBatch& batch) {
  batch.ready_to_receive();
  const int got = ::recvmmsg(socket, batch.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) return std::uint64_t{0};
    return fail(system_error(errno, "receive"));
  }
  batch.ready_to_send(static_cast<std::size_t>(got), dns_answer);
  const int sent = ::sendmmsg(socket, batch.headers.data(), static_cast<unsigned>(got), 0);
  return static_cast<std::uint64_t>(std::max(sent, 0));
}

}  // namespace

Result<std::uint64_t> serve_echo(const EchoOptions& options, const std::function<bool()>& stopping,
                                 const std::function<void(const Endpoint&)>& ready) {
  if (options.duration <= Duration() || options.duration > Duration::seconds(3600)) {
    return fail(
        Error{ErrorCode::kInvalid, "echo server", "the duration must be above 0 and at most 1h"});
  }
  TRY(check_target(options.listen.address, options.allow_private));
  TRY(pin_to_cpu(options.cpu));
  const sys::Fd socket = TRY(bound_socket(options.listen, kReceiveBuffer));
  ready(TRY(sys::local_endpoint(socket.number())));

  const auto batch = std::make_unique<EchoBatch>();
  const MonoTime end = sys::mono_now() + options.duration;
  std::uint64_t total = 0;
  while (sys::mono_now() < end && !stopping()) {
    const std::uint64_t sent = TRY(echo_batch(socket.number(), options.dns_answer, *batch));
    total += sent;
    if (sent > 0) continue;
    pollfd waiting{socket.number(), POLLIN, 0};
    ::poll(&waiting, 1, kWaitMs);
  }
  return total;
}

}  // namespace timepool::load
