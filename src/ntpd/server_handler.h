// ServerHandler: the packet handler of one NTP worker (net/udp_worker.h): judges a request by
// ntp/server/responder.h and counts exactly one reason for it.
#pragma once

#include <array>
#include <cstdint>

#include "net/published.h"
#include "ntp/server/responder.h"
#include "ntp/server/service.h"
#include "ntpd/last_seen.h"
#include "ntpd/server_counters.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

class ServerHandler {
 public:
  // Requests are at most this long: NTP packets with NTS stay far below; what is longer is dropped.
  static constexpr std::size_t kMaxRequest = 2048;

  explicit ServerHandler(net::Published<ntp::Service>& service);

  void begin_batch() { service_ = &reader_.acquire(); }
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);

  // Adds what was counted so far; from any thread.
  void add_counts(ServerCounts& out) const { counters_.add_to(out); }
  // The last datagram that was dropped for `reason`; from any thread.
  std::optional<LastSeen::Value> last_dropped(ntp::Reason reason) const {
    return dropped_[static_cast<std::size_t>(reason)].value();
  }

 private:
  void drop(ntp::Reason reason, const sys::Datagram& datagram, Bytes request);

  net::Published<ntp::Service>::Reader reader_;
  const ntp::Service* service_ = nullptr;
  ntp::Responder responder_;
  ServerCounters counters_;
  std::array<LastSeen, ntp::kReasonCount> dropped_;
};

}  // namespace timepool::ntpd
