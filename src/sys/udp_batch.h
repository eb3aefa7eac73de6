// UdpBatch: up to kSize datagrams taken by one recvmmsg and answered by one sendmmsg, in memory
// that is allocated once. One thread.
#pragma once

#include <sys/socket.h>

#include <cstddef>
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

  // Requests longer than `max_request` come truncated; replies have `max_reply` bytes of room.
  UdpBatch(std::size_t max_request, std::size_t max_reply);

  // Takes what is there without waiting and returns the count, 0 when there is nothing.
  Result<std::size_t> receive(const UdpSocket& socket);
  const Datagram& datagram(std::size_t index) const { return datagrams_[index]; }
  Bytes request(std::size_t index) const {
    return Bytes(requests_).subspan(index * max_request_, datagrams_[index].length);
  }
  MutableBytes reply_room(std::size_t index) {
    return MutableBytes(replies_).subspan(index * max_reply_, max_reply_);
  }
  // Queues the first `length` bytes of reply_room(index), to where request `index` came from.
  void reply(std::size_t index, std::size_t length);
  // Sends what was queued, from the address each request was sent to. Returns how many the system
  // refused: those are lost.
  std::size_t send(const UdpSocket& socket);

 private:
  struct alignas(cmsghdr) Control {
    std::byte bytes[kControlBytes];
  };
  std::size_t max_request_;
  std::size_t max_reply_;
  std::vector<std::byte> requests_;
  std::vector<std::byte> replies_;
  std::vector<Datagram> datagrams_;
  std::vector<sockaddr_storage> names_;
  std::vector<Control> controls_;
  std::vector<iovec> parts_;
  std::vector<mmsghdr> messages_;
  std::vector<Control> reply_controls_;
  std::vector<iovec> reply_parts_;
  std::vector<mmsghdr> reply_messages_;
  std::size_t queued_ = 0;
};

}  // namespace timepool::sys
