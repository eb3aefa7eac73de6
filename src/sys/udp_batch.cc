#include "sys/udp_batch.h"

#include <bit>
#include <cerrno>

#include "base/check.h"
#include "sys/clock.h"

namespace timepool::sys {
namespace {

// Buffers that lie a power of two apart share the same few places of the first-level cache; a line
// more between them spreads them over all.
constexpr std::size_t kCacheLine = 64;

std::size_t stride_of(std::size_t size) {
  return (size + kCacheLine - 1) / kCacheLine * kCacheLine + kCacheLine;
}

}  // namespace

UdpBatch::UdpBatch(std::size_t max_request, std::size_t max_reply)
    : max_request_(max_request),
      max_reply_(max_reply),
      request_stride_(stride_of(max_request)),
      reply_stride_(stride_of(max_reply)),
      requests_(kSize * request_stride_),
      replies_(kSize * reply_stride_),
      names_(kSize),
      controls_(kSize),
      parts_(kSize),
      messages_(kSize),
      reply_controls_(kSize),
      reply_parts_(kSize),
      reply_messages_(kSize) {
  for (std::size_t i = 0; i < kSize; ++i) {
    parts_[i] = {requests_.data() + i * request_stride_, max_request_};
    messages_[i].msg_hdr.msg_name = &names_[i];
    messages_[i].msg_hdr.msg_iov = &parts_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_control = controls_[i].bytes;
    reply_messages_[i].msg_hdr.msg_iov = &reply_parts_[i];
    reply_messages_[i].msg_hdr.msg_iovlen = 1;
    make_ready(i);
  }
}

void UdpBatch::make_ready(std::size_t index) {
  msghdr& header = messages_[index].msg_hdr;
  header.msg_namelen = sizeof(sockaddr_storage);
  header.msg_controllen = kControlBytes;
  header.msg_flags = 0;
}

Result<std::size_t> UdpBatch::receive(const UdpSocket& socket) {
  for (std::size_t i = 0; i < received_; ++i) make_ready(i);
  received_ = 0;
  queued_ = 0;
  const int count = ::recvmmsg(socket.fd(), messages_.data(), kSize, MSG_DONTWAIT, nullptr);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
    return fail(system_error(errno, "receive"));
  }
  received_ = static_cast<std::size_t>(count);
  local_ = socket.local();
  any_address_ = local_.address.is_unspecified();
  received_at_ = UnixTime();
  decoded_ = kSize;
  return received_;
}

const Datagram& UdpBatch::datagram(std::size_t index) {
  CHECK(index < received_);
  decoded_ = index;
  datagram_.length = messages_[index].msg_len;
  datagram_.from = from_sockaddr(names_[index]).value_or(Endpoint{});
  read_control(messages_[index].msg_hdr, local_, datagram_);
  if (!datagram_.kernel_timestamp) {
    if (received_at_ == UnixTime()) received_at_ = unix_now();
    datagram_.received = received_at_;
  }
  return datagram_;
}

void UdpBatch::reply(std::size_t index, std::size_t length, bool stamped) {
  CHECK(index < received_ && length <= max_reply_ && queued_ < kSize);
  msghdr& out = reply_messages_[queued_].msg_hdr;
  reply_parts_[queued_] = {replies_.data() + index * reply_stride_, length};
  out.msg_name = &names_[index];
  out.msg_namelen = messages_[index].msg_hdr.msg_namelen;
  out.msg_control = nullptr;
  out.msg_controllen = 0;
  std::byte* control = reply_controls_[queued_].bytes;
  // A socket that is bound to one address sends from that by itself.
  if (any_address_) {
    if (decoded_ != index) datagram(index);
    write_source(out, control, datagram_.to);
  }
  if (stamped) ask_for_stamp(out, control);
  ++queued_;
}

std::size_t UdpBatch::send(const UdpSocket& socket) {
  std::size_t next = 0;
  refused_ = 0;
  while (next < queued_) {
    const int sent = ::sendmmsg(socket.fd(), reply_messages_.data() + next,
                                static_cast<unsigned>(queued_ - next), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      next += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    // The first of them can't be sent (no route, no buffer): it is lost, the others go on.
    refused_ |= std::uint64_t{1} << next;
    ++next;
  }
  queued_ = 0;
  return static_cast<std::size_t>(std::popcount(refused_));
}

}  // namespace timepool::sys
