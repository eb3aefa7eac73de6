// Liveness: what the misses of one server say: how many there are in a row, since when it is
// silent, how many of its answers get lost at ordinary times, and so how many misses must come
// before it is taken for dead.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace timepool::ntp {

// However lossy the path, this many times the configured limit is enough.
inline constexpr std::uint32_t kMostPatience = 4;

// What is known of how many requests get no answer: of the last 32 or so of one server, or of the
// servers together.
struct LossCount {
  double lost = 0;
  double asked = 0;
  // Added to those asked: before much is known, a path is taken for a clean one.
  double presumed = 8;

  // 0 to 1.
  double share() const { return lost / (asked + presumed); }
  // Both together presume no more than one does: six servers that were asked ten times each say as
  // much as one that was asked sixty times.
  void add(const LossCount& other);
};

class Liveness {
 public:
  // After each call to the association: its count of unanswered requests in a row.
  void observe(std::uint32_t unanswered, MonoTime now);
  // It answered; what the association counts from here on.
  void answered(std::uint32_t unanswered);
  // Another server answered: the network is there now.
  void heard_another() { before_another_ = misses_; }
  // Counts misses anew: those so far were the network's fault.
  void forgive();

  // F7: in a row, since the last answer or pardon.
  std::uint32_t misses() const { return misses_; }
  // Of these: since any server answered.
  std::uint32_t misses_unheard() const { return misses_ - before_another_; }
  // When the first of these misses was counted.
  std::optional<MonoTime> silent_since() const { return silent_since_; }
  // The requests without an answer, apart from the misses at the end.
  const LossCount& losses() const { return losses_; }

 private:
  void count(bool lost);

  std::uint32_t seen_ = 0;
  std::uint32_t misses_ = 0;
  std::uint32_t before_another_ = 0;
  std::optional<MonoTime> silent_since_;
  LossCount losses_;
};

// F10: on a path that loses the share `loss` of requests anyway: as many misses as come in a row by
// chance once in a million times, but `limit` at least and kMostPatience * limit at the most.
// 0 (never) stays 0.
std::uint32_t misses_needed(std::uint32_t limit, double loss);

}  // namespace timepool::ntp
