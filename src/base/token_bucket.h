// Token buckets in 40 bits (the generic cell rate algorithm, ITU-T I.371): of a bucket only the
// moment is kept at which it will be full again, so that a full bucket needs no memory at all: a
// moment that has passed says the same as no entry.
//
// Moments are counted in ticks of 2^-20 s modulo 2^40, twelve days. What lies further ahead than
// the bucket is deep can't be true (the counter went round, or the settings changed) and counts as
// full.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace timepool {

inline constexpr int kTickBits = 20;
inline constexpr int kMomentBits = 40;
inline constexpr std::uint64_t kMomentMask = (std::uint64_t{1} << kMomentBits) - 1;
inline constexpr std::uint64_t kTicksPerSecond = std::uint64_t{1} << kTickBits;

// `now` as ticks; they go on past 40 bits. `now` is not before its clock's zero.
inline std::uint64_t ticks_of(MonoTime now) {
  const auto ns = static_cast<std::uint64_t>(now.ns());
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  return (ns / kNsPerSecond << kTickBits) + (ns % kNsPerSecond << kTickBits) / kNsPerSecond;
}

// How fast a bucket fills and how deep it is.
struct BucketRate {
  std::uint64_t interval = 0;  // ticks for a token; 0: no limit
  std::uint64_t depth = 0;     // ticks for all of them

  // An empty bucket is full again after this at the longest.
  static constexpr std::uint64_t kMaxDepth = std::uint64_t{86400} << kTickBits;

  // `per_second` tokens fill it, and it holds `burst` (at least 1) of them; no limit when
  // `per_second` is not above 0. A token takes a whole number of ticks, at least one: 1000 a second
  // are met to 0.1 %, 100,000 to 5 %, never less than asked for.
  static BucketRate of(double per_second, double burst);
  bool limits() const { return interval != 0; }
  bool operator==(const BucketRate&) const = default;
};

// How far ahead of `now` (ticks) the moment lies at which the bucket is full.
inline std::uint64_t debt_of(std::uint64_t moment, std::uint64_t now, const BucketRate& rate) {
  const std::uint64_t ahead = (moment - now) & kMomentMask;
  return ahead > rate.depth ? 0 : ahead;
}
inline bool has_token(std::uint64_t moment, std::uint64_t now, const BucketRate& rate) {
  return debt_of(moment, now, rate) + rate.interval <= rate.depth;
}
// The moment after a token was taken.
inline std::uint64_t take_token(std::uint64_t moment, std::uint64_t now, const BucketRate& rate) {
  return (now + debt_of(moment, now, rate) + rate.interval) & kMomentMask;
}

}  // namespace timepool
