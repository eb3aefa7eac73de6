#include "ntpd/rejections.h"

#include "ntpd/advice.h"

namespace timepool::ntpd {

void Rejections::note(ntp::ReplyReason reason, const Endpoint& from, UnixTime at, MonoTime now) {
  Entry& entry = entries_[static_cast<std::size_t>(reason)];
  ++entry.count;
  entry.last = at;
  entry.from = from;
  // Kisses have log lines of their own: each is an event of its server.
  if (advice_on(reason).concern && !ntp::is_kiss(reason)) warn(reason, entry, now);
}

void Rejections::warn(ntp::ReplyReason reason, const Entry& entry, MonoTime now) {
  Warned& warned = warned_[static_cast<std::size_t>(reason)];
  if (warned.count > 0 && now - warned.at < kWarnInterval) return;
  logger_.warning("{} from {}: {}; {} since the last such line", name_of(reason),
                  format(entry.from), advice_on(reason).meaning, entry.count - warned.count);
  warned = {now, entry.count};
}

}  // namespace timepool::ntpd
