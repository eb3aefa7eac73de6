#include "ntp/outage.h"

#include <algorithm>

namespace timepool::ntp {

bool Outage::observe(const SilenceCount& count, MonoTime now) {
  const bool all_silent = count.known >= 2 && count.speaking == 0;
  const bool none_sent = count.asked > 0 && count.unsent == count.asked;
  if (!all_silent && !none_sent) {
    // Those who were silent are gone: a new source, which nobody knows yet, may be asked.
    since_.reset();
    return false;
  }
  const bool begins = !on();
  if (begins) since_ = now;
  return begins;
}

bool Outage::answered(MonoTime now) {
  last_answer_ = now;
  const bool ends = on();
  since_.reset();
  return ends;
}

Silence Outage::judge(MonoTime silent_since, std::size_t others_known, MonoTime now) const {
  if (last_answer_ && *last_answer_ > silent_since) return Silence::kDead;
  const bool patient = now - silent_since < kOutagePatience;
  if (on() || others_known > 0) return patient ? Silence::kWait : Silence::kUnproven;
  return Silence::kUnproven;
}

}  // namespace timepool::ntp
