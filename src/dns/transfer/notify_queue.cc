#include "dns/transfer/notify_queue.h"

#include <algorithm>

namespace timepool::dns {

NotifyQueue::Key NotifyQueue::key_of(std::size_t target, const wire::dns::DnsName& zone) {
  const wire::dns::DnsName lower = wire::dns::lowered(zone);
  const Bytes wire = lower.wire();
  return {target, {wire.begin(), wire.end()}};
}

bool NotifyQueue::add(std::size_t target, std::shared_ptr<const ZoneVersion> zone, std::uint16_t id,
                      MonoTime now) {
  Key key = key_of(target, zone->origin);
  if (pending_.size() >= kMaxPending && !pending_.contains(key)) return false;
  pending_[std::move(key)] = {{target, std::move(zone), id, 0}, now, kFirstWait};
  return true;
}

std::vector<NotifyQueue::Notice> NotifyQueue::due(MonoTime now, std::size_t most,
                                                  std::vector<Notice>& given_up) {
  std::vector<Notice> out;
  for (auto at = pending_.begin(); at != pending_.end() && out.size() < most;) {
    Pending& pending = at->second;
    if (pending.at > now) {
      ++at;
      continue;
    }
    if (pending.notice.tries == kTries) {
      given_up.push_back(pending.notice);
      at = pending_.erase(at);
      continue;
    }
    ++pending.notice.tries;
    pending.at = now + pending.wait;
    if (pending.notice.tries + 1 < kTries) pending.wait = pending.wait * 2;
    out.push_back(pending.notice);
    ++at;
  }
  return out;
}

std::optional<MonoTime> NotifyQueue::next() const {
  std::optional<MonoTime> out;
  for (const auto& [key, pending] : pending_) {
    if (!out || pending.at < *out) out = pending.at;
  }
  return out;
}

const NotifyQueue::Notice* NotifyQueue::find(std::size_t target, const wire::dns::DnsName& zone,
                                             std::uint16_t id) const {
  const auto at = pending_.find(key_of(target, zone));
  if (at == pending_.end() || at->second.notice.tries == 0) return nullptr;
  return at->second.notice.id == id ? &at->second.notice : nullptr;
}

void NotifyQueue::done(std::size_t target, const wire::dns::DnsName& zone) {
  pending_.erase(key_of(target, zone));
}

}  // namespace timepool::dns
