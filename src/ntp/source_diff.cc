#include "ntp/source_diff.h"

#include <algorithm>

namespace timepool::ntp {

SourceDiff diff_sources(const SourceTable& sources, std::span<const SourceId> theirs,
                        std::span<const SourceConfig> wanted) {
  const auto same_as = [](const SourceConfig& config) {
    return [&config](const SourceConfig& other) { return same_source(config, other); };
  };
  SourceDiff out;
  for (const SourceId id : theirs) {
    const Source* source = sources.find(id);
    if (source == nullptr) continue;
    const auto found = std::find_if(wanted.begin(), wanted.end(), same_as(source->config()));
    if (found == wanted.end()) {
      out.removed.push_back(id);
    } else if (*found != source->config()) {
      out.changed.emplace_back(id, *found);
    }
  }
  for (auto it = wanted.begin(); it != wanted.end(); ++it) {
    if (std::any_of(wanted.begin(), it, same_as(*it))) continue;
    const bool there = std::any_of(sources.begin(), sources.end(), [&](const Source& source) {
      return same_source(source.config(), *it);
    });
    if (!there) out.added.push_back(*it);
  }
  return out;
}

}  // namespace timepool::ntp
