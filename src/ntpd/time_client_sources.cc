// The part of the TimeClient that takes sources in and lets them go.
#include <algorithm>

#include "ntp/source_diff.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

Error refusal(const std::string& operation, const ntp::SourceConfig& config,
              ntp::ChangeError error) {
  const std::string name = config.name;
  switch (error) {
    case ntp::ChangeError::kTooMany:
      return {ErrorCode::kExhausted, operation,
              "there are " + std::to_string(ntp::kMaxSources) + " sources, the most there can be"};
    case ntp::ChangeError::kLimits:
      return {ErrorCode::kInvalid, operation, name + ": " + ntp::broken_limit(config)};
    case ntp::ChangeError::kTwice:
      return {ErrorCode::kExists, operation, name + " is a source already"};
    case ntp::ChangeError::kNotThere:
    case ntp::ChangeError::kOther:
      break;
  }
  return {ErrorCode::kNotFound, operation, name + " is no source"};
}

}  // namespace

SourceChanges TimeClient::apply(const std::vector<ntp::SourceConfig>& wanted) {
  const MonoTime now = sys::mono_now();
  ntp::SourceSet& sources = keeper_.sources();
  std::vector<ntp::SourceConfig> with_keys = wanted;
  for (ntp::SourceConfig& config : with_keys) config.key_generation = generation_of(config.key);
  const ntp::SourceDiff diff = ntp::diff_sources(sources.sources(), configured_, with_keys);
  SourceChanges out;
  // First those that go: they make room.
  for (const ntp::SourceId id : diff.removed) {
    logger_.info("{} is no source any more", sources.name(id));
    if (sources.remove(id, now).ok()) ++out.removed;
    std::erase(configured_, id);
  }
  for (const auto& [id, config] : diff.changed) {
    if (sources.change(id, config, now).ok()) ++out.changed;
  }
  for (const ntp::SourceConfig& config : diff.added) {
    const auto added = sources.add(config, now);
    if (added.ok()) {
      configured_.push_back(*added);
      ++out.added;
      tell_missing_key(config);
    } else {
      logger_.error("{}", refusal("source", config, added.error()).text());
    }
  }
  schedule();
  return out;
}

Result<void> TimeClient::add_source(const ntp::SourceConfig& wanted) {
  ntp::SourceConfig config = wanted;
  config.key_generation = generation_of(config.key);
  if (config.key != 0 && config.key_generation == 0) {
    return fail(Error{ErrorCode::kNotFound, "add", "no key " + std::to_string(config.key)});
  }
  const auto added = keeper_.sources().add(config, sys::mono_now());
  if (!added.ok()) return fail(refusal("add", config, added.error()));
  logger_.info("{} is a source now", config.name);
  schedule();
  return {};
}

Result<void> TimeClient::remove_source(const std::string& name) {
  for (const ntp::Source& source : sources().sources()) {
    // What a pool's SRV record named is the pool's.
    if (source.config().name != name || source.config().pool != ntp::kNoSource) continue;
    const ntp::SourceId id = source.id();
    static_cast<void>(keeper_.sources().remove(id, sys::mono_now()));
    std::erase(configured_, id);
    logger_.info("{} is no source any more", name);
    schedule();
    return {};
  }
  return fail(Error{ErrorCode::kNotFound, "remove",
                    "no source is configured as \"" + name + "\" (see timepool ntp sources)"});
}

}  // namespace timepool::ntpd
