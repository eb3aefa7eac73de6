#include "dns/compiled/class_index.h"

#include "base/check.h"

namespace timepool::dns {
namespace {

V4Key last_of(const Runs<V4Key>& runs, std::size_t run) {
  return run + 1 < runs.size() ? runs.first(run + 1) - 1 : ~V4Key{0};
}

// Of all addresses of a /16 that lies within `run`; `key` is one of them. Before the first address
// of all is the last one, which is farther away than what is behind the run; the same the other
// way round.
std::uint32_t scope_within(const Runs<V4Key>& runs, std::size_t run, V4Key key) {
  if (runs.size() == 1) return 0;
  const V4Key before = runs.first(run) - 1;
  const V4Key behind = last_of(runs, run) + 1;
  return static_cast<std::uint32_t>(
      std::max(std::countl_zero(key ^ before), std::countl_zero(key ^ behind)) + 1);
}

}  // namespace

ClassIndex::ClassIndex(const Runs<V4Key>& runs) : slots_(kSlots) {
  CHECK(runs.size() < kMaxRuns);
  ends_.reserve(runs.size() + 1 + kFew);
  ends_.push_back(0);
  for (std::size_t run = 0; run < runs.size(); ++run) {
    CHECK(runs.value(run) < 65536);
    ends_.push_back(biased(last_of(runs, run) << 16 | runs.value(run)));
  }
  ends_.resize(ends_.size() + kFew);

  std::size_t run = 0;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    const V4Key last = slot << 16 | 0xffff;
    const auto first = static_cast<std::uint32_t>(run);
    while (last_of(runs, run) < last) ++run;
    const auto ends = static_cast<std::uint32_t>(run) - first;
    const std::uint32_t place = first + 1;
    if (ends == 0) {
      slots_[slot] = kWhole | scope_within(runs, run, last) << kNumberShift | place;
    } else if (ends <= kFew) {
      slots_[slot] = ends << kNumberShift | place;
    } else {
      slots_[slot] = kMany << kNumberShift | static_cast<std::uint32_t>(blocks_.size());
      blocks_.push_back({place, ends});
    }
    if (last_of(runs, run) == last && run + 1 < runs.size()) ++run;
  }
  blocks_.shrink_to_fit();
}

}  // namespace timepool::dns
