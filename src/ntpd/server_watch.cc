#include "ntpd/server_watch.h"

#include <algorithm>

namespace timepool::ntpd {

void ServerWatch::look(const ServerCounts& counts, const LastDropped& last, MonoTime now) {
  measure(counts.total(), now);
  for (std::size_t i = 0; i < counts.reasons.size(); ++i) {
    const auto reason = static_cast<ntp::Reason>(i);
    if (counts.reasons[i] == 0 || ntp::is_answered(reason)) continue;
    if (const auto seen = last(reason); seen) {
      concerns_.note(i, name_of(reason), advice_on(reason), counts.reasons[i], seen->from, now);
    }
  }
}

void ServerWatch::measure(std::uint64_t total, MonoTime now) {
  const auto rate_since = [&](const Look& then) {
    const double seconds = (now - then.at).to_seconds();
    return seconds > 0 ? static_cast<double>(total - then.total) / seconds : 0;
  };
  if (!looks_.empty()) {
    rates_.newest = rate_since(looks_.back());
    rates_.minute = rate_since(looks_.front());
    rates_.highest = std::max(rates_.highest, rates_.newest);
  }
  looks_.push_back({now, total});
  if (looks_.size() > kLooks) looks_.pop_front();
}

}  // namespace timepool::ntpd
