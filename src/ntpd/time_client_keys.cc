// The part of the TimeClient that gives sources their keys.
#include <algorithm>
#include <utility>

#include "ntp/symmetric_authenticator.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {

std::uint64_t TimeClient::generation_of(std::uint32_t key) const {
  const ntp::SymmetricKey* found = keys_ != nullptr ? keys_->find(key) : nullptr;
  return found != nullptr ? found->generation() : 0;
}

void TimeClient::tell_missing_key(const ntp::SourceConfig& source) const {
  if (source.key == 0 || source.key_generation != 0) return;
  logger_.error("{}: there is no key {} in [keys] file, so it is not asked", source.name,
                source.key);
}

std::unique_ptr<ntp::Authenticator> TimeClient::authenticator_of(const ntp::Source& source,
                                                                 const IpAddress& address) const {
  const std::uint32_t id = source.config().key;
  if (id == 0) return std::make_unique<ntp::NoAuthentication>();
  std::shared_ptr<const ntp::SymmetricKey> key = keys_ != nullptr ? keys_->share(id) : nullptr;
  if (key != nullptr && !key->allows(address)) {
    logger_.error("{}: the addresses of key {} don't have {}, so it is not asked",
                  source.config().name, id, format(address));
    key = nullptr;
  }
  return std::make_unique<ntp::SymmetricAuthenticator>(std::move(key));
}

void TimeClient::set_keys(std::shared_ptr<const ntp::KeyRing> keys) {
  keys_ = std::move(keys);
  const MonoTime now = sys::mono_now();
  std::vector<std::pair<ntp::SourceId, ntp::SourceConfig>> others;
  for (const ntp::Source& source : sources().sources()) {
    ntp::SourceConfig config = source.config();
    const std::uint64_t generation = generation_of(config.key);
    if (generation == config.key_generation) continue;
    config.key_generation = generation;
    others.emplace_back(source.id(), std::move(config));
  }
  for (const auto& [id, config] : others) {
    logger_.info("{}: key {} is another now; measuring it anew", config.name, config.key);
    static_cast<void>(keeper_.sources().remove(id, now));
    const auto added = keeper_.sources().add(config, now);
    if (added.ok()) std::replace(configured_.begin(), configured_.end(), id, *added);
    tell_missing_key(config);
  }
  schedule();
}

}  // namespace timepool::ntpd
