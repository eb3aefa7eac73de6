// What must change so that the sources in use become those that are wanted. What stays keeps its
// measurements.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "ntp/source_table.h"

namespace timepool::ntp {

struct SourceDiff {
  std::vector<SourceId> removed;
  std::vector<std::pair<SourceId, SourceConfig>> changed;  // other settings of the same source
  std::vector<SourceConfig> added;

  bool empty() const { return removed.empty() && changed.empty() && added.empty(); }
};

// `theirs` are those of `sources` that `wanted` speaks of; others are left alone. Of several in
// `wanted` that are the same source the first counts.
SourceDiff diff_sources(const SourceTable& sources, std::span<const SourceId> theirs,
                        std::span<const SourceConfig> wanted);

}  // namespace timepool::ntp
