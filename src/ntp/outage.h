// Outage: tells a dead server from a dead network. A server is dead when another answers after it
// fell silent. When all who ever answered are silent together, or nothing can be sent, it is the
// network: then nobody is replaced, no address is used up, and one server after the other is asked
// gently until anybody answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace timepool::ntp {

// One request out of turn in this time is enough to notice that the network is back.
inline constexpr Duration kOutageProbe = Duration::seconds(64);
// After so long a silence of everybody, and when look-ups succeed, it is the servers after all.
inline constexpr Duration kOutagePatience = Duration::seconds(3600);
// Misses in a row of one server until it counts as silent here.
inline constexpr std::uint32_t kSilentAfter = 2;
// And nobody may have answered for so long.
inline constexpr Duration kOutageAfter = Duration::seconds(20);
// Misses of all together until silence is more than chance, on a path that loses nothing.
inline constexpr std::uint32_t kOutageMisses = 8;

// The members that packets are sent to.
struct SilenceCount {
  std::size_t asked = 0;     // members
  std::size_t unsent = 0;    // of these: the latest request could not be sent
  std::size_t known = 0;     // of those asked: have answered before
  std::size_t speaking = 0;  // of the known: neither silent nor unsent
  std::uint32_t misses = 0;  // of the known together, since any of them answered
  double loss = 0;           // their share of lost packets at ordinary times
};

enum class Silence : unsigned char {
  kDead,      // somebody else answered since it fell silent
  kUnproven,  // nobody can tell
  kWait,      // it may be the network
};

class Outage {
 public:
  bool on() const { return since_.has_value(); }
  // True when it begins with this. It ends by what follows only.
  bool observe(const SilenceCount& count, MonoTime now);
  // Somebody answered. True when that ends it.
  bool answered(MonoTime now);
  // Something could be sent. True when that ends it: there was nothing else amiss.
  bool sent();
  // A look-up succeeded, so the network is there.
  void resolved(MonoTime now) { last_resolved_ = now; }
  // During an outage: whether a look-up succeeded since it began.
  bool resolved_since() const { return since_ && last_resolved_ && *last_resolved_ > *since_; }
  // On a server that is silent since then; `others_known` others have answered before.
  Silence judge(MonoTime silent_since, std::size_t others_known, MonoTime now) const;

 private:
  std::optional<MonoTime> since_;
  bool by_silence_ = false;
  std::optional<MonoTime> last_resolved_;
  std::optional<MonoTime> last_answer_;
};

}  // namespace timepool::ntp
