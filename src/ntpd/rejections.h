// Rejections: what became of the datagrams that came to the client: one counter per reason, with
// when and from where it was raised last (RFC 8633 5.3: watch for the signatures of attacks), and a
// warning at most once an hour for those that an honest network does not bring. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/ip.h"
#include "ntp/reply_reason.h"
#include "sys/log.h"

namespace timepool::ntpd {

class Rejections {
 public:
  struct Entry {
    std::uint64_t count = 0;
    UnixTime last;  // when count > 0
    Endpoint from;
  };

  explicit Rejections(sys::Logger& logger) : logger_(logger) {}

  void note(ntp::ReplyReason reason, const Endpoint& from, UnixTime at, MonoTime now);
  const Entry& entry(ntp::ReplyReason reason) const {
    return entries_[static_cast<std::size_t>(reason)];
  }

 private:
  // Between two warnings about one reason.
  static constexpr Duration kWarnInterval = Duration::seconds(3600);
  struct Warned {
    MonoTime at;
    std::uint64_t count = 0;
  };

  void warn(ntp::ReplyReason reason, const Entry& entry, MonoTime now);

  sys::Logger& logger_;
  std::array<Entry, ntp::kReplyReasonCount> entries_{};
  std::array<Warned, ntp::kReplyReasonCount> warned_{};
};

}  // namespace timepool::ntpd
