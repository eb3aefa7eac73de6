#include "sys/udp_batch.h"

#include <cerrno>

#include "base/check.h"
#include "sys/clock.h"

namespace timepool::sys {

UdpBatch::UdpBatch(std::size_t max_request, std::size_t max_reply)
    : max_request_(max_request),
      max_reply_(max_reply),
      requests_(kSize * max_request),
      replies_(kSize * max_reply),
      datagrams_(kSize),
      names_(kSize),
      controls_(kSize),
      parts_(kSize),
      messages_(kSize),
      reply_controls_(kSize),
      reply_parts_(kSize),
      reply_messages_(kSize) {
  for (std::size_t i = 0; i < kSize; ++i) {
    parts_[i] = {requests_.data() + i * max_request_, max_request_};
    messages_[i].msg_hdr.msg_name = &names_[i];
    messages_[i].msg_hdr.msg_iov = &parts_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_control = controls_[i].bytes;
    reply_messages_[i].msg_hdr.msg_iov = &reply_parts_[i];
    reply_messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

Result<std::size_t> UdpBatch::receive(const UdpSocket& socket) {
  for (mmsghdr& message : messages_) {
    message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    message.msg_hdr.msg_controllen = kControlBytes;
    message.msg_hdr.msg_flags = 0;
  }
  queued_ = 0;
  const int count = ::recvmmsg(socket.fd(), messages_.data(), kSize, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
    return fail(system_error(errno, "receive"));
  }
  const auto received = static_cast<std::size_t>(count);
  UnixTime now;
  for (std::size_t i = 0; i < received; ++i) {
    Datagram& datagram = datagrams_[i];
    datagram.length = messages_[i].msg_len;
    datagram.from = from_sockaddr(names_[i]).value_or(Endpoint{});
    read_control(messages_[i].msg_hdr, socket.local().port, datagram);
    if (datagram.kernel_timestamp) continue;
    if (now == UnixTime()) now = unix_now();
    datagram.received = now;
  }
  return received;
}

void UdpBatch::reply(std::size_t index, std::size_t length) {
  CHECK(index < kSize && length <= max_reply_ && queued_ < kSize);
  msghdr& out = reply_messages_[queued_].msg_hdr;
  reply_parts_[queued_] = {replies_.data() + index * max_reply_, length};
  out.msg_name = &names_[index];
  out.msg_namelen = messages_[index].msg_hdr.msg_namelen;
  write_source(out, reply_controls_[queued_].bytes, datagrams_[index].to);
  ++queued_;
}

std::size_t UdpBatch::send(const UdpSocket& socket) {
  std::size_t refused = 0;
  std::size_t next = 0;
  while (next < queued_) {
    const int sent = ::sendmmsg(socket.fd(), reply_messages_.data() + next,
                                static_cast<unsigned>(queued_ - next), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    // The first of them can't be sent (no route, no buffer): it is lost, the others go on.
    ++refused;
    ++next;
  }
  queued_ = 0;
  return refused;
}

}  // namespace timepool::sys
