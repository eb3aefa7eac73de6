#include "sim/rate_watch.h"

#include <algorithm>

#include "ntp/exchange.h"

namespace timepool::sim {
namespace {

// What rounding and a timer that is a little early may take.
Duration least(Duration promised) {
  return promised * 99 / 100;
}

}  // namespace

std::string RateWatch::request(ntp::AssociationId association, const ntp::PollConfig& poll,
                               MonoTime now) {
  const auto [found, first] = asked_.try_emplace(association);
  Asked& asked = found->second;
  const Duration gap = now - asked.last;
  const bool good = first || allowed(asked, poll, gap);
  if (first) asked.burst_left = kBurst - 1;
  asked.last = now;
  asked.answered = false;
  asked.useful = false;
  return good ? "" : "asked " + format(gap) + " after the request before";
}

bool RateWatch::allowed(Asked& asked, const ntp::PollConfig& poll, Duration gap) const {
  if (gap >= least(ntp::exp2_seconds(poll.minpoll) * 15 / 16)) {
    asked.again = 0;
    asked.warmed_up = false;
    return true;
  }
  const bool spaced = gap >= least(kBurstSpacing);
  if (spaced && asked.burst_left > 0) {
    --asked.burst_left;
    return true;
  }
  if (gap >= least(kProbeSpacing) && !asked.answered && asked.probes < kProbes) {
    ++asked.probes;
    return true;
  }
  if (spaced && poll.burst && !asked.useful && asked.again < kAgain) {
    ++asked.again;
    return true;
  }
  if (spaced && poll.presend != ntp::kNoPresend && !asked.warmed_up) {
    asked.warmed_up = true;
    return true;
  }
  return false;
}

void RateWatch::answered(ntp::AssociationId association, bool useful) {
  const auto found = asked_.find(association);
  if (found == asked_.end()) return;
  found->second.answered = true;
  found->second.useful = useful;
  found->second.probes = 0;
}

void RateWatch::restarted() {
  for (auto& [association, asked] : asked_) asked.burst_left = kBurst;
}

}  // namespace timepool::sim
