#include "ntp/liveness.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntp {
namespace {

// Loss is known from the last 32 requests or so.
constexpr double kMemory = 32;
// Below a hundredth no limit that makes sense is raised.
constexpr double kLeastLoss = 0.01;
// Of a longer silence the rest was no loss on the way.
constexpr std::uint32_t kMostCounted = 8;
const double kLogChance = std::log(1e-6);

}  // namespace

void LossCount::add(const LossCount& other) {
  lost += other.lost;
  asked += other.asked;
  presumed = std::max(presumed, other.presumed);
}

void Liveness::observe(std::uint32_t unanswered, MonoTime now) {
  if (unanswered < seen_) seen_ = 0;
  if (unanswered > seen_ && !silent_since_) silent_since_ = now;
  misses_ += unanswered - seen_;
  seen_ = unanswered;
}

void Liveness::count(bool lost) {
  losses_.asked += 1;
  if (lost) losses_.lost += 1;
  const double total = losses_.asked + losses_.presumed;
  if (total <= kMemory) return;
  losses_.lost *= kMemory / total;
  losses_.asked *= kMemory / total;
  losses_.presumed *= kMemory / total;
}

void Liveness::answered(std::uint32_t unanswered) {
  for (std::uint32_t i = 0; i < std::min(misses_, kMostCounted); ++i) count(true);
  count(false);
  seen_ = unanswered;
  forgive();
}

void Liveness::forgive() {
  misses_ = 0;
  before_another_ = 0;
  silent_since_.reset();
}

std::uint32_t misses_needed(std::uint32_t limit, double loss) {
  if (limit == 0 || loss < kLeastLoss) return limit;
  const double by_chance = std::ceil(kLogChance / std::log(std::min(loss, 0.99)));
  return std::clamp(static_cast<std::uint32_t>(by_chance), limit, kMostPatience * limit);
}

}  // namespace timepool::ntp
