#include "ntp/source.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// As many addresses as a pool uses are tried at once before anything is held back.
constexpr unsigned kFreeUnproven = 4;
// No more addresses of one answer are looked at.
constexpr std::size_t kMaxAnswer = 1024;
// Networks that come and go don't make for more look-ups than this.
constexpr Duration kResetInterval = Duration::seconds(60);
constexpr Duration kFirstUnproven = Duration::seconds(64);
constexpr Duration kLongestUnproven = Duration::seconds(1024);

std::string broken_nts_limit(const SourceConfig& config) {
  if (!config.nts.required) return "";
  if (config.kind == SourceKind::kPeer) return "a peer can't have nts";
  if (!config.authenticated) return "nts is required and authenticated is not";
  if (config.key != 0) return "key and nts exclude each other";
  if (config.version != wire::ntp::kMaxVersion) return "nts needs version 4 (RFC 8915 5)";
  if (config.poll.burst) return "burst and nts exclude each other: each request costs a cookie";
  if (config.poll.presend != kNoPresend) {
    return "presend and nts exclude each other: each packet costs a cookie";
  }
  if (config.nts.port == 0) return "nts_port is 0";
  const bool services = config.nts.lookup != ServerLookup::kAddresses;
  if (services && config.kind != SourceKind::kPool) return "only a pool has SRV records";
  if (services && config.nts.suffix.empty()) return "srv_suffix is empty";
  if (config.nts.aeads.empty()) return "nts_aeads is empty";
  return "";
}

}  // namespace

bool same_source(const SourceConfig& a, const SourceConfig& b) {
  return a.kind == b.kind && a.name == b.name && a.port == b.port && a.version == b.version &&
         a.interleaved == b.interleaved && a.authenticated == b.authenticated && a.key == b.key &&
         a.key_generation == b.key_generation && a.broadcast == b.broadcast && a.nts == b.nts &&
         a.pool == b.pool;
}

std::string broken_limit(const SourceConfig& config) {
  if (config.name.empty()) return "the name is empty";
  if (config.port == 0) return "port is 0";
  if (config.kind == SourceKind::kPeer && !config.authenticated) {
    return "a peer needs a key (RFC 8633 5.6)";
  }
  if (config.kind == SourceKind::kBroadcast && !config.authenticated) {
    return "broadcasts need a key (RFC 8633 5.5)";
  }
  if (config.broadcast.way < Duration()) return "the way of broadcasts is below 0";
  if (const std::string broken = broken_nts_limit(config); !broken.empty()) return broken;
  if (config.poll.minpoll < kLowestPoll) {
    return "minpoll is below " + std::to_string(kLowestPoll);
  }
  if (config.poll.maxpoll > kHighestPoll) {
    return "maxpoll is above " + std::to_string(kHighestPoll);
  }
  if (config.poll.minpoll > config.poll.maxpoll) return "minpoll is above maxpoll";
  if (config.version < wire::ntp::kMinVersion || config.version > wire::ntp::kMaxVersion) {
    return "version is not " + std::to_string(wire::ntp::kMinVersion) + " to " +
           std::to_string(wire::ntp::kMaxVersion);
  }
  if (config.max_addresses > kMaxPoolAddresses) {
    return "max_addresses is above " + std::to_string(kMaxPoolAddresses);
  }
  if (config.min_samples < 1 || config.min_samples > config.max_samples ||
      config.max_samples > kMaxSamples) {
    return "min_samples and max_samples are not 1 to " + std::to_string(kMaxSamples);
  }
  if (config.filter.median_of < 1 || config.filter.median_of > kMaxMedianOf) {
    return "filter is not 1 to " + std::to_string(kMaxMedianOf);
  }
  if (config.filter.max_delay_quantile < 0 || config.filter.max_delay_quantile > 1) {
    return "max_delay_quantile is not 0 to 1";
  }
  if (config.resolve_min <= Duration()) return "resolve_min is not above 0";
  if (config.resolve_max < config.resolve_min) return "resolve_max is below resolve_min";
  if (config.resolve_refresh <= Duration()) return "resolve_refresh is not above 0";
  return "";
}

std::string_view name_of(SourceKind kind) {
  switch (kind) {
    case SourceKind::kServer:
      return "server";
    case SourceKind::kPool:
      return "pool";
    case SourceKind::kPeer:
      return "peer";
    case SourceKind::kBroadcast:
      return "broadcast";
    case SourceKind::kRefclock:
      break;
  }
  return "refclock";
}

Source::Source(SourceId id, const SourceConfig& config, MonoTime now)
    : id_(id),
      config_(config),
      next_resolve_(now),
      last_resolve_(now),
      last_reset_(now),
      backoff_(config.resolve_min),
      next_unproven_(now) {
  const Result<IpAddress> address = parse_ip(config.name);
  literal_ = address.ok() || listens();
  if (address.ok()) addresses_.set_literal(*address);
}

void Source::change(const SourceConfig& config, MonoTime now) {
  CHECK(same_source(config, config_));
  const bool look_up = config.family != config_.family;
  config_ = config;
  backoff_ = std::clamp(backoff_, config.resolve_min, config.resolve_max);
  next_resolve_ = std::min(next_resolve_, last_resolve_ + config.resolve_refresh);
  if (look_up) want_resolve(now);
}

std::size_t Source::wanted() const {
  if (literal_ && !listens()) return 1;
  const std::size_t count = config_.kind == SourceKind::kPool ? kDefaultPoolAddresses : 1;
  return std::min(config_.max_addresses == 0 ? count : config_.max_addresses, kMaxPoolAddresses);
}

void Source::resolving(MonoTime now) {
  last_resolve_ = now;
  ++attempts_;
  if (wanting_ || !resolved_) {
    next_resolve_ = now + backoff_;
    backoff_ = std::min(backoff_ * 2, config_.resolve_max);
  } else {
    next_resolve_ = now + config_.resolve_refresh;
  }
  wanting_ = false;
}

void Source::handle_addresses(MonoTime now, std::span<const IpAddress> addresses,
                              std::span<const Endpoint> ours) {
  if (literal_) return;
  if (addresses.empty()) {
    unresolved_at_ = now;
    ++in_vain_;
    return;
  }
  std::vector<IpAddress> good;
  ignored_ = 0;
  for (const IpAddress& address : addresses.first(std::min(addresses.size(), kMaxAnswer))) {
    if (fault_of({address, config_.port, 0}, config_.family, ours)) {
      ++ignored_;
    } else {
      good.push_back(address);
    }
  }
  // Nothing but rubbish is as good as no answer.
  if (good.empty()) {
    unresolved_at_ = now;
    ++in_vain_;
    return;
  }
  gone_ = 0;
  in_vain_ = 0;
  resolved_ = true;
  resolved_at_ = now;
  addresses_.update(good, now);
  if (addresses_.used() >= wanted()) next_resolve_ = last_resolve_ + config_.resolve_refresh;
}

// It is soon asked again: an answer may be a mistake of the moment.
void Source::handle_gone(MonoTime now) {
  if (literal_) return;
  ++gone_;
  ++in_vain_;
  unresolved_at_ = now;
  want_resolve(now);
}

void Source::handle_services(MonoTime now, bool found) {
  awaits_keys_ = awaits_keys_ && !found;
  if (!found) {
    unresolved_at_ = now;
    ++in_vain_;
    return want_resolve(now);
  }
  in_vain_ = 0;
  resolved_ = true;
  resolved_at_ = now;
}

void Source::have_enough() {
  if (resolved_ && !wanting_) next_resolve_ = last_resolve_ + config_.resolve_refresh;
}

void Source::want_resolve(MonoTime now) {
  if (literal_) return;
  wanting_ = true;
  next_resolve_ = std::min(next_resolve_, std::max(now, last_resolve_ + backoff_));
}

void Source::forget_back_off(MonoTime now) {
  if (now - last_reset_ < kResetInterval) return;
  last_reset_ = now;
  backoff_ = config_.resolve_min;
  if (wanting_ || !resolved_) want_resolve(now);
}

void Source::hear(const IpAddress& address, MonoTime now) {
  std::vector<IpAddress> all{address};
  for (const AddressRecord& record : addresses_.records()) {
    if (record.state == AddressRecord::State::kInUse) all.push_back(record.address);
  }
  addresses_.update(all, now);
}

bool Source::is_new_broadcast(NtpTimestamp transmit) const {
  for (std::size_t i = 0; i < broadcasts_.size(); ++i) {
    if (broadcasts_[i] == transmit) return false;
  }
  return true;
}

std::optional<IpAddress> Source::next_address(AddressWish wish) const {
  wish.port = config_.port;
  return addresses_.next(wish);
}

void Source::use(const IpAddress& address, MonoTime now) {
  addresses_.use(address, now);
  if (addresses_.used() >= wanted()) next_resolve_ = last_resolve_ + config_.resolve_refresh;
}

void Source::drop(const IpAddress& address, MonoTime now, DropCause cause) {
  addresses_.drop(address, now, cause);
  if (cause != DropCause::kUnproven || ++left_unproven_ < kFreeUnproven) return;
  const unsigned doublings = std::min(left_unproven_ - kFreeUnproven, 10U);
  next_unproven_ =
      now + std::min(kFirstUnproven * (std::int64_t{1} << doublings), kLongestUnproven);
}

void Source::answered(const ServerIdentity& server, MonoTime now) {
  const bool first = addresses_.answered(server, now);
  left_unproven_ = 0;
  next_unproven_ = now;
  // What was found last is good, so the next time begins with short intervals. But whoever answers
  // once and dies again does not get a look-up every few seconds.
  if (!first || now - last_reset_ < config_.resolve_max) return;
  last_reset_ = now;
  backoff_ = config_.resolve_min;
}

}  // namespace timepool::ntp
