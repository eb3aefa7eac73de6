// ServerHandler: the packet handler of one NTP worker (net/udp_worker.h): judges a request by
// ntp/server/responder.h and counts exactly one reason for it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "net/published.h"
#include "ntp/server/responder.h"
#include "ntp/server/service.h"
#include "ntpd/last_seen.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

using ReasonCounts = std::array<std::uint64_t, ntp::kReasonCount>;

class ServerHandler {
 public:
  // Requests are at most this long: NTP packets with NTS stay far below; what is longer is dropped.
  static constexpr std::size_t kMaxRequest = 2048;

  explicit ServerHandler(net::Published<ntp::Service>& service);

  void begin_batch() { service_ = &reader_.acquire(); }
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);

  // Adds what was counted so far; from any thread.
  void add_counts(ReasonCounts& out) const;
  // The last datagram that was dropped for `reason`; from any thread.
  std::optional<LastSeen::Value> last_dropped(ntp::Reason reason) const {
    return dropped_[static_cast<std::size_t>(reason)].value();
  }

 private:
  void count(ntp::Reason reason);
  void drop(ntp::Reason reason, const sys::Datagram& datagram);

  net::Published<ntp::Service>::Reader reader_;
  const ntp::Service* service_ = nullptr;
  ntp::Responder responder_;
  std::array<std::atomic<std::uint64_t>, ntp::kReasonCount> counts_{};
  std::array<LastSeen, ntp::kReasonCount> dropped_;
};

}  // namespace timepool::ntpd
