#include "snapshot/snapshot_source.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::snapshot {

SourceChoice::SourceChoice(std::size_t count, Duration first_rest, Duration longest_rest,
                           std::uint64_t seed)
    : sources_(count), first_rest_(first_rest), longest_rest_(longest_rest), prng_(seed) {
  CHECK(count > 0);
}

std::optional<std::size_t> SourceChoice::choose(MonoTime now) const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!sources_[i].resting || now >= sources_[i].rests_until) return i;
  }
  return std::nullopt;
}

MonoTime SourceChoice::ready_at() const {
  MonoTime first = MonoTime::max();
  for (const Source& source : sources_) {
    first = std::min(first, source.resting ? source.rests_until : MonoTime());
  }
  return first;
}

void SourceChoice::succeeded(std::size_t index) {
  sources_[index] = Source();
}

void SourceChoice::failed(std::size_t index, MonoTime now) {
  Source& source = sources_[index];
  Duration rest = first_rest_;
  for (unsigned i = 0; i < source.failures && rest < longest_rest_; ++i) rest = rest * 2;
  rest = std::min(rest, longest_rest_);
  const auto half = static_cast<std::uint64_t>(std::max<std::int64_t>(rest.ns() / 2, 0));
  const auto jitter = static_cast<std::int64_t>(prng_.below(half + 1));
  source.rests_until = now + (rest / 2 + Duration::nanoseconds(jitter));
  source.resting = true;
  ++source.failures;
}

}  // namespace timepool::snapshot
