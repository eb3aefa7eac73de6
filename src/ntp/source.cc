#include "ntp/source.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::ntp {

Source::Source(SourceId id, const SourceConfig& config, MonoTime now)
    : id_(id),
      config_(config),
      next_resolve_(now),
      last_resolve_(now),
      last_answer_(now),
      backoff_(config.resolve_min) {
  const Result<IpAddress> address = parse_ip(config.name);
  literal_ = address.ok();
  if (literal_) entries_.push_back({*address, State::kUnused, true, now});
}

std::size_t Source::wanted() const {
  if (literal_) return 1;
  const std::size_t count = config_.kind == SourceKind::kPool ? kDefaultPoolAddresses : 1;
  return std::min(config_.max_addresses == 0 ? count : config_.max_addresses, kMaxPoolAddresses);
}

Source::Entry* Source::find(const IpAddress& address) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.address == address; });
  return found == entries_.end() ? nullptr : &*found;
}

bool Source::enough_in_use() const {
  const auto used = std::count_if(entries_.begin(), entries_.end(),
                                  [](const Entry& entry) { return entry.state == State::kInUse; });
  return static_cast<std::size_t>(used) >= wanted();
}

void Source::resolving(MonoTime now) {
  last_resolve_ = now;
  ++attempts_;
  if (wanting_ || !resolved_) {
    next_resolve_ = now + backoff_;
    backoff_ = std::min(backoff_ * 2, config_.resolve_max);
  } else {
    next_resolve_ = now + config_.resolve_refresh;
    backoff_ = config_.resolve_min;
  }
  wanting_ = false;
}

void Source::handle_addresses(MonoTime now, std::span<const IpAddress> addresses) {
  if (literal_ || addresses.empty()) return;
  resolved_ = true;
  last_answer_ = now;
  for (Entry& entry : entries_) entry.listed = false;
  for (const IpAddress& address : addresses) {
    if (Entry* known = find(address); known != nullptr) {
      known->listed = true;
    } else if (entries_.size() < kMaxAddresses) {
      entries_.push_back({address, State::kUnused, true, now});
    }
  }
  // F3: the fresh list replaces the old one. What failed is remembered for as long as there is
  // room, so that it comes last when it is listed again.
  std::erase_if(entries_, [&](const Entry& entry) {
    return !entry.listed &&
           (entry.state == State::kUnused ||
            (entry.state == State::kFailed && entries_.size() > kMaxAddresses / 2));
  });
}

void Source::want_resolve(MonoTime now) {
  if (literal_) return;
  wanting_ = true;
  next_resolve_ = std::min(next_resolve_, std::max(now, last_resolve_ + backoff_));
}

const IpAddress* Source::next_unused_address() const {
  for (const Entry& entry : entries_) {
    if (entry.listed && entry.state == State::kUnused) return &entry.address;
  }
  return nullptr;
}

const IpAddress* Source::next_address() const {
  if (const IpAddress* unused = next_unused_address(); unused != nullptr) return unused;
  const Entry* best = nullptr;
  for (const Entry& entry : entries_) {
    if (!entry.listed || entry.state != State::kFailed) continue;
    // F3: only a newer answer brings it back.
    if (!resolved_ || entry.failed >= last_answer_) continue;
    if (best == nullptr || entry.failed < best->failed) best = &entry;
  }
  return best == nullptr ? nullptr : &best->address;
}

void Source::use(const IpAddress& address) {
  Entry* entry = find(address);
  CHECK(entry != nullptr);
  entry->state = State::kInUse;
  backoff_ = config_.resolve_min;
  if (enough_in_use()) next_resolve_ = last_resolve_ + config_.resolve_refresh;
}

void Source::drop(const IpAddress& address, MonoTime now) {
  Entry* entry = find(address);
  CHECK(entry != nullptr);
  entry->state = State::kFailed;
  entry->failed = now;
}

}  // namespace timepool::ntp
