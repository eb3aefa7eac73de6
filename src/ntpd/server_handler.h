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
#include "sys/udp_batch.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

class ServerHandler {
 public:
  // Requests are at most this long: NTP packets with NTS stay far below; what is longer is dropped.
  static constexpr std::size_t kMaxRequest = 2048;

  explicit ServerHandler(net::Published<ntp::Service>& service,
                         const ntp::Responder::Options& options = {});

  // For net::UdpServer.
  void begin_batch();
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);
  void finish(std::size_t index, MutableBytes reply, UnixTime leaving);
  bool wants_departures() const { return remembered_; }
  void departed(std::size_t index, UnixTime at);
  void settled(std::size_t index, bool sent);
  // By its receive timestamp.
  std::uint64_t stamp_name(std::size_t index) const {
    const ntp::Response& response = pending_[index].response;
    return response.remembered ? response.receive.bits() : 0;
  }
  void stamped(std::uint64_t name, UnixTime at);

  // Adds what was counted so far; from any thread.
  void add_counts(ServerCounts& out) const { counters_.add_to(out); }
  void add_counts(nts::CookieCounts& out) const { responder_.add_counts(out); }
  // The last datagram that was dropped for `reason`; from any thread.
  std::optional<LastSeen::Value> last_dropped(ntp::Reason reason) const {
    return dropped_[static_cast<std::size_t>(reason)].value();
  }

  // What it knows of its clients, null without: its table and counts are for any thread.
  const ntp::RateLimiter* limiter() const { return responder_.limiter(); }

 private:
  // A reply that has not left yet.
  struct Pending {
    ntp::Response response;
    // Of its request.
    UnixTime received;
    Endpoint from;
    std::byte first_octet{};
    Duration took;  // from then to the reply's transmit timestamp
  };
  void look_at_clocks();
  // `begin`: of the datagram, at least its first octet if it has one.
  void drop(ntp::Reason reason, UnixTime received, const Endpoint& from, Bytes begin);

  net::Published<ntp::Service>::Reader reader_;
  const ntp::Service* service_ = nullptr;
  MonoTime now_;  // when the batch began
  ntp::Responder responder_;
  static_assert(sys::UdpBatch::kSize <= ntp::Responder::kMaxPending);
  std::array<Pending, sys::UdpBatch::kSize> pending_;
  std::size_t replies_ = 0;  // of this batch
  bool remembered_ = false;  // one of them is
  ServerCounters counters_;
  std::array<LastSeen, ntp::kReasonCount> dropped_;
};

}  // namespace timepool::ntpd
