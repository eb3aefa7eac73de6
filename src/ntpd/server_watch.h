// ServerWatch: what the main loop sees of the server over time: the rate of requests, and warnings
// about datagrams that an attack looks like. Looks at the counters every kInterval; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "base/time.h"
#include "ntpd/concern_log.h"
#include "ntpd/last_seen.h"
#include "ntpd/server_counters.h"

namespace timepool::ntpd {

// Datagrams a second.
struct RequestRates {
  double newest = 0;   // over the last interval
  double minute = 0;   // over the last minute, or since the start
  double highest = 0;  // the highest of all intervals
};

class ServerWatch {
 public:
  static constexpr Duration kInterval = Duration::seconds(10);
  // Tells who was dropped last for a reason.
  using LastDropped = std::function<std::optional<LastSeen::Value>(ntp::Reason)>;

  explicit ServerWatch(sys::Logger& logger) : concerns_(logger, ntp::kReasonCount) {}

  // To be called every kInterval with what was counted until `now`.
  void look(const ServerCounts& counts, const LastDropped& last, MonoTime now);
  const RequestRates& rates() const { return rates_; }

 private:
  struct Look {
    MonoTime at;
    std::uint64_t total = 0;
  };
  // The last minute.
  static constexpr std::size_t kLooks = 6;

  void measure(std::uint64_t total, MonoTime now);

  ConcernLog concerns_;
  std::deque<Look> looks_;
  RequestRates rates_;
};

}  // namespace timepool::ntpd
