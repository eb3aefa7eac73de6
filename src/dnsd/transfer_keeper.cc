#include "dnsd/transfer_keeper.h"

namespace timepool::dnsd {

void TransferKeeper::reconfigure(const config::DnsdTransferConfig& config) {
  rules_ = TransferRules::make(config);
  wanted_ = !config.allow.empty() || !config.notify.empty();
  if (!wanted_) tracked_.clear();
  current_.reset();
  if (config == config::DnsdTransferConfig()) return;
  auto next = std::make_shared<Transfers>();
  next->rules = rules_;
  for (const auto& [key, tracked] : tracked_) next->zones[key] = tracked.history;
  current_ = std::move(next);
}

std::vector<std::shared_ptr<const dns::ZoneVersion>> TransferKeeper::update(
    std::span<const LoadedZone> zones) {
  std::vector<std::shared_ptr<const dns::ZoneVersion>> changed;
  if (!wanted_) return changed;
  std::map<std::string, Tracked> next;
  for (const LoadedZone& loaded : zones) {
    std::string key = zone_key(loaded.zone->origin);
    const auto before = tracked_.find(key);
    Tracked tracked{loaded.zone, nullptr};
    if (before != tracked_.end() && before->second.zone == loaded.zone) {
      tracked.history = before->second.history;
    } else {
      auto version = dns::version_of(*loaded.zone);
      const bool known = before != tracked_.end();
      // Read anew with the same content, as a snapshot's zones are.
      const bool same = known && before->second.history->current()->soa == version->soa &&
                        before->second.history->current()->records == version->records;
      if (same) {
        tracked.history = before->second.history;
      } else {
        changed.push_back(version);
        tracked.history = known ? before->second.history->next(std::move(version))
                                : std::make_shared<const dns::ZoneHistory>(std::move(version));
      }
    }
    next.emplace(std::move(key), std::move(tracked));
  }
  tracked_ = std::move(next);
  auto out = std::make_shared<Transfers>();
  out->rules = rules_;
  for (const auto& [key, tracked] : tracked_) out->zones[key] = tracked.history;
  current_ = std::move(out);
  return changed;
}

}  // namespace timepool::dnsd
