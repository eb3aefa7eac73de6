#include "ntp/outage.h"

#include <algorithm>

#include "ntp/liveness.h"

namespace timepool::ntp {

bool Outage::observe(const SilenceCount& count, MonoTime now) {
  const bool lately = last_answer_ && now - *last_answer_ < kOutageAfter;
  const bool all_silent = !lately && count.known >= 2 && count.speaking == 0 &&
                          count.misses >= misses_needed(kOutageMisses, count.loss);
  const bool none_sent = count.asked > 0 && count.unsent == count.asked;
  if (!all_silent && !none_sent) return false;
  if (all_silent && !none_sent) by_silence_ = true;
  const bool begins = !on();
  if (begins) since_ = now;
  return begins;
}

bool Outage::answered(MonoTime now) {
  last_answer_ = now;
  const bool ends = on();
  since_.reset();
  by_silence_ = false;
  return ends;
}

bool Outage::sent() {
  if (!on() || by_silence_) return false;
  since_.reset();
  return true;
}

Silence Outage::judge(MonoTime silent_since, std::size_t others_known, MonoTime now) const {
  if (last_answer_ && *last_answer_ > silent_since) return Silence::kDead;
  if (!on() && others_known == 0) return Silence::kUnproven;
  const bool patient = now - silent_since < kOutagePatience;
  const bool resolved = last_resolved_ && *last_resolved_ > silent_since;
  return patient || !resolved ? Silence::kWait : Silence::kUnproven;
}

}  // namespace timepool::ntp
