// UdpBatch: up to kSize datagrams taken by one recvmmsg and answered by sendmmsg, in memory that is
// allocated once. One thread. Nothing is looked at before it is asked for, and only what a receive
// call has changed is made ready again.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/byte_reader.h"
#include "sys/udp_socket.h"

namespace timepool::sys {

class UdpBatch {
 public:
  // 64 messages: past that recvmmsg gains nothing measurable, and the buffers of a worker
  // (64 * (2 KiB + 4 KiB)) still fit in the second-level cache.
  static constexpr std::size_t kSize = 64;
  static_assert(kSize <= 64, "refused_ has so many bits");

  // Requests longer than `max_request` come truncated; replies have `max_reply` bytes of room.
  UdpBatch(std::size_t max_request, std::size_t max_reply);

  // Takes what is there without waiting and returns the count, 0 when there is nothing.
  Result<std::size_t> receive(const UdpSocket& socket);
  // Of the batch last received; the value stays until the next call. `index` below its count.
  const Datagram& datagram(std::size_t index);
  Bytes request(std::size_t index) const {
    return Bytes(requests_).subspan(index * request_stride_, messages_[index].msg_len);
  }
  MutableBytes reply_room(std::size_t index) {
    return MutableBytes(replies_).subspan(index * reply_stride_, max_reply_);
  }
  // Queues the first `length` bytes of reply_room(index), to where request `index` came from and
  // from the address that it was sent to.
  // `stamped`: for a socket with tx_timestamps_on_demand.
  void reply(std::size_t index, std::size_t length, bool stamped = false);
  std::size_t queued() const { return queued_; }
  // The bytes of the `position`th reply in the queue.
  MutableBytes queued_reply(std::size_t position) {
    const iovec& part = reply_parts_[position];
    return {static_cast<std::byte*>(part.iov_base), part.iov_len};
  }
  // Sends what was queued and empties the queue. Returns how many the system refused: those are
  // lost.
  std::size_t send(const UdpSocket& socket);
  // Whether it refused the `position`th of those last sent.
  bool was_refused(std::size_t position) const { return (refused_ >> position & 1) != 0; }

 private:
  struct alignas(cmsghdr) Control {
    std::byte bytes[kControlBytes];
  };
  struct alignas(cmsghdr) ReplyControl {
    std::byte bytes[kReplyControlBytes];
  };
  void make_ready(std::size_t index);

  std::size_t max_request_;
  std::size_t max_reply_;
  std::size_t request_stride_;
  std::size_t reply_stride_;
  std::vector<std::byte> requests_;
  std::vector<std::byte> replies_;
  std::vector<sockaddr_storage> names_;
  std::vector<Control> controls_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<ReplyControl> reply_controls_;
  std::vector<iovec> reply_parts_;
  std::vector<mmsghdr> reply_messages_;
  Datagram datagram_;
  std::size_t decoded_ = kSize;  // whose datagram_ is
  Endpoint local_;               // of the socket last received from
  bool any_address_ = false;     // it is bound to none
  UnixTime received_at_;         // for datagrams without a kernel timestamp
  std::size_t received_ = 0;
  std::size_t queued_ = 0;
  std::uint64_t refused_ = 0;  // a bit for each position
};

}  // namespace timepool::sys
