// TargetBook: the servers that one pool's SRV records named, and what became of each. It decides
// which is used next.
//
// One answer need not have all: a pool draws some of its members for each. So a server that is in
// use stays, listed or not; a new one is of the latest answer. LC4: one that was dropped does not
// come back within a day, but where nothing else is left.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "ntp/outbox.h"
#include "ntp/random_stream.h"
#include "ntp/service.h"

namespace timepool::ntp {

// Where nothing else is listed, while other servers of the pool answer.
inline constexpr Duration kTargetRest = Duration::seconds(3600);

struct TargetRecord {
  enum class State : std::uint8_t { kUnused, kInUse, kDropped };
  ServiceTarget target;
  State state = State::kUnused;
  bool listed = true;               // in the latest answer
  std::optional<MonoTime> dropped;  // the last time
  TargetDrop cause = TargetDrop::kNone;
};
// "unused", "in_use", "dropped".
std::string_view name_of(TargetRecord::State state);

class TargetBook {
 public:
  // Whether there is something that makes this one cheaper than others to use: its keys.
  using Known = std::function<bool(const ServiceTarget& target)>;

  // A new answer. Ports and weights are its.
  void update(std::span<const ServiceTarget> targets, MonoTime now);
  // The target to use next: by RFC 2782 of those never dropped, those that are `known` first; else
  // that which was dropped longest ago, a while ago, or at any time when `desperate`.
  std::optional<ServiceTarget> next(MonoTime now, bool desperate, RandomStream& random,
                                    const Known& known) const;
  // These CHECK that the target is there.
  void use(std::string_view target);
  void drop(std::string_view target, MonoTime now, TargetDrop cause);

  std::span<const TargetRecord> records() const { return records_; }

 private:
  TargetRecord* find(std::string_view target);
  void forget(MonoTime now);

  std::vector<TargetRecord> records_;  // at most 2 * kMaxTargets
  std::optional<MonoTime> last_update_;
};

}  // namespace timepool::ntp
