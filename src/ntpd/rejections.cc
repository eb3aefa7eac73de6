#include "ntpd/rejections.h"

namespace timepool::ntpd {

void Rejections::note(ntp::ReplyReason reason, const Endpoint& from, UnixTime at, MonoTime now) {
  const auto index = static_cast<std::size_t>(reason);
  Entry& entry = entries_[index];
  ++entry.count;
  entry.last = at;
  entry.from = from;
  // Kisses have log lines of their own: each is an event of its server.
  if (ntp::is_kiss(reason)) return;
  concerns_.note(index, name_of(reason), advice_on(reason), entry.count, from, now);
}

}  // namespace timepool::ntpd
