// Hostility: what a server that means harm, or is broken beyond any plan, makes of an honest reply.
// Each trick is on its own or with others; which of them is played, and how, comes from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/prng.h"
#include "base/time.h"

namespace timepool::sim {

enum class Trick : std::uint8_t {
  kFields,      // any field of the header is random or extreme
  kTimes,       // timestamps of all eras, from 1968 to 2104, and around the end of one in 2036
  kReplays,     // old replies again, as answers and unasked
  kDelays,      // replies come seconds to hours late
  kDuplicates,  // each reply many times
  kKisses,      // kisses of every code, several at once
  kGarbage,     // random octets of any length
  kLies,        // the time jumps about by up to a day, from one reply to the next
};
inline constexpr std::size_t kTrickCount = 8;
// "fields", "times", ...
std::string_view name_of(Trick trick);

// A datagram to be sent after `delay`.
struct HostileSending {
  Duration delay;
  std::vector<std::byte> bytes;
  bool answers = true;  // made for this request; else an old one
};

class Hostility {
 public:
  // Plays one of `tricks` (no more than kTrickCount) on each reply.
  Hostility(std::vector<Trick> tricks, Prng prng) : tricks_(std::move(tricks)), prng_(prng) {}

  bool any() const { return !tricks_.empty(); }
  // What is sent instead of `reply`, an honest one of 48 octets.
  std::vector<HostileSending> play(const std::vector<std::byte>& reply, UnixTime now);

 private:
  using Octets = std::vector<std::byte>;
  bool once_in(std::uint64_t times) { return prng_.below(times) == 0; }
  Octets spoil_fields(const Octets& reply);
  Octets spoil_times(const Octets& reply, UnixTime now);
  Octets kiss(const Octets& reply);
  Octets garbage();
  Octets lie(const Octets& reply);
  NtpTimestamp extreme_time(UnixTime now);
  void remember(const Octets& reply);

  std::vector<Trick> tricks_;
  Prng prng_;
  std::vector<Octets> old_;  // replies, at most kRemembered
};

}  // namespace timepool::sim
