#include "ntp/service_order.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace timepool::ntp {
namespace {

// RFC 2782: the running sum of weights, and the first whose sum reaches a number from 0 to the sum
// of all. Those of weight 0 stand first, where 0 alone finds them.
std::size_t drawn(std::span<const ServiceTarget> targets, std::span<const std::size_t> left,
                  RandomStream& random) {
  std::uint64_t sum = 0;
  for (const std::size_t index : left) sum += targets[index].weight;
  const std::uint64_t chosen = random.below(sum + 1);
  // Several of weight 0: one of them, any.
  if (chosen == 0 && targets[left.front()].weight == 0) {
    const auto zeros = std::count_if(left.begin(), left.end(),
                                     [&](std::size_t it) { return targets[it].weight == 0; });
    return static_cast<std::size_t>(random.below(static_cast<std::uint64_t>(zeros)));
  }
  std::uint64_t running = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    running += targets[left[i]].weight;
    if (running >= chosen && targets[left[i]].weight > 0) return i;
  }
  return 0;
}

}  // namespace

std::vector<std::size_t> service_order(std::span<const ServiceTarget> targets,
                                       RandomStream& random) {
  std::vector<std::size_t> left(targets.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  std::stable_sort(left.begin(), left.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(targets[a].priority, targets[a].weight != 0) <
           std::tuple(targets[b].priority, targets[b].weight != 0);
  });
  std::vector<std::size_t> out;
  auto begin = left.begin();
  while (begin != left.end()) {
    const std::uint16_t priority = targets[*begin].priority;
    const auto end = std::find_if(begin, left.end(),
                                  [&](std::size_t it) { return targets[it].priority != priority; });
    std::vector<std::size_t> equal(begin, end);
    while (!equal.empty()) {
      const std::size_t at = drawn(targets, equal, random);
      out.push_back(equal[at]);
      equal.erase(equal.begin() + static_cast<std::ptrdiff_t>(at));
    }
    begin = end;
  }
  return out;
}

}  // namespace timepool::ntp
