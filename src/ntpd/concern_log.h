// ConcernLog: warnings about what an attack or a broken machine looks like (RFC 8633 5.3), at most
// one an hour for each reason, with how often it happened in between. One thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "ntpd/advice.h"
#include "sys/log.h"

namespace timepool::ntpd {

class ConcernLog {
 public:
  // Between two warnings about one reason.
  static constexpr Duration kInterval = Duration::seconds(3600);

  // Reasons are numbers below `reasons`.
  ConcernLog(sys::Logger& logger, std::size_t reasons) : logger_(logger), warned_(reasons) {}

  // `count` datagrams up to now had the reason called `name`, the last of them from `from`. Warns
  // when the advice is concerned, the count grew, and the interval is over.
  void note(std::size_t reason, std::string_view name, const Advice& advice, std::uint64_t count,
            const Endpoint& from, MonoTime now);

 private:
  struct Warned {
    MonoTime at;
    std::uint64_t count = 0;
  };

  sys::Logger& logger_;
  std::vector<Warned> warned_;
};

}  // namespace timepool::ntpd
