#include "dnsd/transfer_keeper.h"

#include <utility>

#include "dnsd/signing_keeper.h"

namespace timepool::dnsd {

TransferKeeper::TransferKeeper(const config::DnsdConfig& config, TransferSigner& signer,
                               sys::Logger& logger)
    : signer_(signer),
      logger_(logger),
      journal_(std::make_unique<TransferJournal>(config.transfer.journal, logger)) {
  reconfigure(config);
}

void TransferKeeper::reconfigure(const config::DnsdConfig& config) {
  rules_ = TransferRules::make(config.transfer);
  wanted_ = !config.transfer.allow.empty() || !config.transfer.notify.empty();
  has_rules_ = !(config.transfer == config::DnsdTransferConfig());
  dnssec_ = config.dnssec;
  times_ = signing_options(config.dnssec).times;
  const bool other = config.transfer.journal != journal_->directory();
  if (other) journal_ = std::make_unique<TransferJournal>(config.transfer.journal, logger_);
  if (other || !wanted_) {
    for (const auto& [key, tracked] : tracked_) signer_.drop(key);
    tracked_.clear();
  }
  dirty_ = true;
  renew_current();
}

void TransferKeeper::take_keys(std::shared_ptr<const dnssec::KeysByZone> keys) {
  keys_ = keys == nullptr ? std::make_shared<dnssec::KeysByZone>() : std::move(keys);
  dirty_ = true;
}

void TransferKeeper::renew_current() {
  current_.reset();
  if (!has_rules_) return;
  auto next = std::make_shared<Transfers>();
  next->rules = rules_;
  next->counters = counters_;
  for (const auto& [key, tracked] : tracked_) {
    if (tracked.history != nullptr) next->zones[key] = tracked.history;
  }
  current_ = std::move(next);
}

// What this or another process gave on last.
TransferKeeper::Tracked TransferKeeper::first_seen(const dns::Zone& zone, const Now& now) {
  Tracked out;
  out.since = now.mono;
  out.decided = now.mono - kLeastBetween;
  const auto journal = journal_->read(zone.origin, zone.serial);
  if (!journal) return out;
  out.serial = journal->serial;
  out.history = journal->history;
  if (out.history == nullptr) return out;
  out.data = dns::without_signatures(*out.history->current());
  out.state = dns::signature_state(*out.history->current());
  if (out.state.is_signed) out.expire = dns::longest_expire(times_);
  return out;
}

std::optional<TransferKeeper::Wanted> TransferKeeper::wanted_of(const wire::dns::DnsName& zone,
                                                                const Tracked& tracked,
                                                                const Now& now) const {
  // Until the journal is this process's to write, what is in it is all that others get.
  if (!journal_->owned()) return std::nullopt;
  const auto at = keys_->find(zone_key(zone));
  if (at != keys_->end()) {
    // Null: it is to be signed, and has no keys yet.
    return at->second == nullptr ? std::nullopt : std::make_optional(Wanted{at->second});
  }
  std::string name = format(wire::dns::lowered(zone));
  if (name.size() > 1) name.pop_back();
  const config::DnsdDnssecZoneConfig* config = config::dnssec_zone(dnssec_, name);
  if (config == nullptr) return Wanted{};
  if (config->unsign && now.mono - tracked.since >= kUnsignWait) return Wanted{};
  return std::nullopt;
}

bool TransferKeeper::signatures_due(const Tracked& tracked, const Now& now) const {
  return !tracked.due && tracked.state.is_signed && now.mono - tracked.decided >= kLeastBetween &&
         !dns::is_fresh(tracked.state, times_, now.unix_time);
}

// Whether there is to be another version, and its serial.
void TransferKeeper::decide(const LoadedZone& loaded, const Now& now, Tracked& out) const {
  const dns::Zone& zone = *loaded.zone;
  const auto wanted = wanted_of(zone.origin, out, now);
  if (!wanted) {
    out.document.reset();
    return;
  }
  const std::uint32_t expire =
      wanted->keys == nullptr ? dns::kAnyExpire : dns::longest_expire(times_);
  const bool same = out.document == loaded.zone && out.expire == expire;
  const auto data = same ? out.data : dns::version_of(zone, expire);
  out.document = loaded.zone;
  out.expire = expire;
  bool changed = out.data == nullptr || !(data == out.data || dns::same_data(*data, *out.data));
  if (out.due) {
    changed = changed || wanted->keys != out.keys;
  } else if (out.history == nullptr) {
    changed = true;
  } else if (wanted->keys == nullptr) {
    changed = changed || out.state.is_signed;
  } else {
    changed = changed || !dns::is_signed_by(out.state, zone.origin, *wanted->keys) ||
              signatures_due(out, now);
  }
  // Another serial may have been given on that the journal has not.
  if (!out.due && out.history != nullptr) {
    changed = changed || *out.serial != out.history->current()->serial;
  }
  // The serial of a document that goes on is ours.
  changed = changed || dns::is_after(zone.serial, *out.serial);
  if (!changed) return;
  out.serial = out.serial ? dns::next_serial(*out.serial, zone.serial) : zone.serial;
  out.data = data->serial == *out.serial ? data : dns::with_serial(*data, *out.serial);
  out.keys = wanted->keys;
  out.decided = now.mono;
  out.due = out.fresh = true;
}

TransferKeeper::Plan TransferKeeper::plan(std::vector<LoadedZone>& zones, const Now& now) {
  Plan out;
  if (!wanted_) return out;
  for (LoadedZone& loaded : zones) {
    const std::string key = zone_key(loaded.zone->origin);
    const auto before = tracked_.find(key);
    Tracked next = before == tracked_.end() ? first_seen(*loaded.zone, now) : before->second;
    const auto document_before = next.served != nullptr ? next.document : nullptr;
    const auto soa_before = std::pair(next.serial, next.expire);
    decide(loaded, now, next);
    const dns::Zone& zone = *loaded.zone;
    const std::uint32_t serial = next.serial.value_or(zone.serial);
    if (serial == zone.serial && dns::soa_expire(zone) <= next.expire) {
      next.served = loaded.zone;
    } else if (document_before != loaded.zone ||
               soa_before != std::pair(next.serial, next.expire)) {
      next.served = std::make_shared<const dns::Zone>(dns::with_serial(zone, serial, next.expire));
    }
    loaded.zone = next.served;
    out.emplace(key, std::move(next));
  }
  return out;
}

void TransferKeeper::give_on(Tracked& tracked, std::shared_ptr<const dns::ZoneVersion> version) {
  tracked.state = dns::signature_state(*version);
  tracked.history = tracked.history == nullptr
                        ? std::make_shared<const dns::ZoneHistory>(std::move(version))
                        : tracked.history->next(std::move(version));
  ++versions_;
  journal_->write(*tracked.history);
}

TransferKeeper::Versions TransferKeeper::commit(Plan plan) {
  Versions changed;
  for (const auto& [key, before] : tracked_) {
    if (!plan.contains(key)) signer_.drop(key);
  }
  for (auto& [key, tracked] : plan) {
    if (!std::exchange(tracked.fresh, false)) continue;
    if (tracked.keys != nullptr) {
      const auto before = tracked.history == nullptr ? nullptr : tracked.history->current();
      signer_.take(key, {tracked.data, tracked.keys, times_, before});
      continue;
    }
    signer_.drop(key);
    give_on(tracked, tracked.data);
    tracked.due = false;
    changed.push_back(tracked.data);
  }
  tracked_ = std::move(plan);
  dirty_ = false;
  renew_current();
  return changed;
}

bool TransferKeeper::take_signed(const std::string& zone,
                                 const std::shared_ptr<const dns::ZoneVersion>& version) {
  const auto at = tracked_.find(zone);
  if (at == tracked_.end() || at->second.keys == nullptr || !at->second.due) return false;
  Tracked& tracked = at->second;
  if (tracked.history != nullptr &&
      !dns::is_after(version->serial, tracked.history->current()->serial)) {
    return false;
  }
  give_on(tracked, version);
  tracked.due = version->serial != *tracked.serial;
  renew_current();
  return true;
}

bool TransferKeeper::wants_plan(const Now& now) {
  if (!wanted_) return false;
  if (!journal_->owned()) {
    if (!journal_->own()) return false;
    // The process before may have written since it was read.
    tracked_.clear();
    dirty_ = true;
  }
  if (dirty_) return true;
  for (const auto& [key, tracked] : tracked_) {
    if (signatures_due(tracked, now)) return true;
    const bool waits = tracked.document == nullptr;
    if (waits && tracked.served != nullptr && wanted_of(tracked.served->origin, tracked, now)) {
      return true;
    }
  }
  return false;
}

TransferReport TransferKeeper::report() const {
  TransferReport out;
  out.active = has_rules_;
  for (const auto& [key, tracked] : tracked_) {
    if (tracked.history == nullptr) continue;
    const auto& version = *tracked.history->current();
    out.zones.push_back({format(version.origin), version.serial,
                         tracked.history->difference_count(), tracked.state.is_signed});
  }
  out.versions = versions_;
  out.journal = journal_->counts();
  out.signing = signer_.counts();
  for (std::size_t i = 0; i < kTransferEnds; ++i) out.ends[i] = counters_->ends[i];
  out.messages = counters_->messages;
  out.octets = counters_->octets;
  out.unproved = counters_->unproved;
  return out;
}

}  // namespace timepool::dnsd
