#include "ntp/selection.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace timepool::ntp {
namespace {

struct Edge {
  Duration at;
  int step;  // +1 where an interval begins, -1 where it ends
};

// Where at least some number of intervals meet: from the first such point to the last.
struct Region {
  bool found = false;
  Duration low;
  Duration high;
};

class Edges {
 public:
  explicit Edges(std::span<const Candidate> candidates) {
    for (const Candidate& candidate : candidates) {
      edges_[size_++] = {candidate.offset - candidate.distance, +1};
      edges_[size_++] = {candidate.offset + candidate.distance, -1};
    }
    // Intervals are closed: where one ends and another begins at one point, they meet there.
    std::sort(
        edges_.begin(), edges_.begin() + static_cast<std::ptrdiff_t>(size_),
        [](const Edge& a, const Edge& b) { return a.at != b.at ? a.at < b.at : a.step > b.step; });
  }

  std::size_t max_coverage() const {
    int depth = 0;
    int most = 0;
    for (std::size_t i = 0; i < size_; ++i) most = std::max(most, depth += edges_[i].step);
    return static_cast<std::size_t>(most);
  }

  Region covered_by(std::size_t count) const {
    Region out;
    int depth = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const bool enough_before = depth >= static_cast<int>(count);
      depth += edges_[i].step;
      const bool enough_after = depth >= static_cast<int>(count);
      if (!enough_before && enough_after && !out.found) {
        out.found = true;
        out.low = edges_[i].at;
      }
      if (enough_before && !enough_after) out.high = edges_[i].at;
    }
    return out;
  }

 private:
  std::array<Edge, 2 * kMaxCandidates> edges_{};
  std::size_t size_ = 0;
};

bool overlaps(const Candidate& candidate, const Region& region) {
  return candidate.offset - candidate.distance <= region.high &&
         candidate.offset + candidate.distance >= region.low;
}

// Small is good. The one selected before is favoured by half, so that two equals don't alternate.
Duration cost_of(const Candidate& candidate) {
  const Duration cost = candidate.distance + kStratumWeight * candidate.stratum;
  return candidate.was_selected ? cost / 2 : cost;
}

bool survives(CandidateStatus status) {
  return status != CandidateStatus::kFalseticker && status != CandidateStatus::kNoMajority;
}

std::size_t best_survivor(std::span<const Candidate> candidates, const Selection& selection) {
  std::size_t best = candidates.size();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (!survives(selection.status[i])) continue;
    if (best == candidates.size() || cost_of(candidates[i]) < cost_of(candidates[best])) best = i;
  }
  CHECK(best < candidates.size());
  return best;
}

// RFC 5905 11.2.3, equation (16): weights are the inverse of the root distance.
Duration combine(std::span<const Candidate> candidates, const Selection& selection) {
  const Duration base = candidates[selection.selected].offset;
  double sum = 0;
  double weights = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const CandidateStatus status = selection.status[i];
    if (status != CandidateStatus::kSelected && status != CandidateStatus::kCombined) continue;
    const double weight = 1.0 / std::max(candidates[i].distance.to_seconds(), 1e-9);
    // Relative to the selected one, so that a large common offset costs no digits.
    sum += weight * (candidates[i].offset - base).to_seconds();
    weights += weight;
  }
  return base + Duration::from_seconds(sum / weights);
}

Duration farthest_edge(const Region& region, Duration offset) {
  return std::max(offset - region.low, region.high - offset);
}

}  // namespace

Selection select(std::span<const Candidate> candidates, std::size_t undecided,
                 std::size_t min_sources) {
  CHECK(candidates.size() <= kMaxCandidates);
  Selection out;
  const std::size_t n = candidates.size();
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(out.status.push_back(CandidateStatus::kNoMajority));
  }
  if (n == 0) return out;
  const Edges edges(candidates);
  const std::size_t agreeing = edges.max_coverage();
  if (2 * agreeing <= n + undecided || agreeing < min_sources) return out;

  out.found = true;
  const Region agreed = edges.covered_by(agreeing);
  for (std::size_t i = 0; i < n; ++i) {
    const bool in = overlaps(candidates[i], agreed);
    out.status[i] = in ? CandidateStatus::kCombined : CandidateStatus::kFalseticker;
    if (in) ++out.survivors;
  }
  out.selected = best_survivor(candidates, out);
  const Duration limit = candidates[out.selected].distance * kCombineLimit;
  for (std::size_t i = 0; i < n; ++i) {
    if (survives(out.status[i]) && candidates[i].distance > limit) {
      out.status[i] = CandidateStatus::kNotCombined;
    }
  }
  out.status[out.selected] = CandidateStatus::kSelected;
  out.offset = combine(candidates, out);
  const std::size_t liars = (n - 1) / 2;
  out.uncertainty = farthest_edge(edges.covered_by(n - liars), out.offset);
  return out;
}

}  // namespace timepool::ntp
