// SourceTable: the configured sources, by an id that is never used again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ntp/source.h"

namespace timepool::ntp {

// 16 sources of 4 addresses; more are refused.
inline constexpr std::size_t kMaxSources = 16;
// Servers of pools by SRV records, and those that are to take their places, besides.
inline constexpr std::size_t kMaxPoolSources = 64;

class SourceTable {
 public:
  bool full() const { return count(false) >= kMaxSources; }
  // No more servers of pools.
  bool full_of_pools() const { return count(true) >= kMaxPoolSources; }
  std::size_t size() const { return sources_.size(); }
  // Adding and removing moves sources: pointers are good until then.
  Source* find(SourceId id) { return const_cast<Source*>(std::as_const(*this).find(id)); }
  const Source* find(SourceId id) const {
    const auto found = std::find_if(sources_.begin(), sources_.end(),
                                    [id](const Source& source) { return source.id() == id; });
    return found == sources_.end() ? nullptr : &*found;
  }
  auto begin() { return sources_.begin(); }
  auto end() { return sources_.end(); }
  auto begin() const { return sources_.begin(); }
  auto end() const { return sources_.end(); }

  // CHECKs that there is room.
  SourceId add(const SourceConfig& config, MonoTime now) {
    CHECK(config.pool == kNoSource ? !full() : !full_of_pools());
    sources_.emplace_back(next_id_, config, now);
    return next_id_++;
  }
  void remove(SourceId id) {
    std::erase_if(sources_, [id](const Source& source) { return source.id() == id; });
  }

 private:
  std::size_t count(bool of_pools) const {
    return static_cast<std::size_t>(
        std::count_if(sources_.begin(), sources_.end(), [of_pools](const Source& source) {
          return (source.config().pool != kNoSource) == of_pools;
        }));
  }

  std::vector<Source> sources_;
  SourceId next_id_ = 0;
};

}  // namespace timepool::ntp
