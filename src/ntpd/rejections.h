// Rejections: what became of the datagrams that came to the client: one counter per reason, with
// when and from where it was raised last (RFC 8633 5.3: watch for the signatures of attacks), and a
// warning at most once an hour for those that an honest network does not bring. One thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/ip.h"
#include "ntp/reply_reason.h"
#include "ntpd/concern_log.h"

namespace timepool::ntpd {

class Rejections {
 public:
  struct Entry {
    std::uint64_t count = 0;
    UnixTime last;  // when count > 0
    Endpoint from;
  };

  explicit Rejections(sys::Logger& logger) : concerns_(logger, ntp::kReplyReasonCount) {}

  void note(ntp::ReplyReason reason, const Endpoint& from, UnixTime at, MonoTime now);
  const Entry& entry(ntp::ReplyReason reason) const {
    return entries_[static_cast<std::size_t>(reason)];
  }

 private:
  std::array<Entry, ntp::kReplyReasonCount> entries_{};
  ConcernLog concerns_;
};

}  // namespace timepool::ntpd
