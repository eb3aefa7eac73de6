#include "sim/rate_watch.h"

#include <algorithm>

#include "ntp/exchange.h"

namespace timepool::sim {
namespace {

// The client's clock may run by so much faster than true time, and intervals vary by a sixteenth.
Duration least(Duration promised) {
  return promised * 98 / 100;
}

}  // namespace

std::string RateWatch::request(ntp::AssociationId association, const ntp::PollConfig& poll,
                               UnixTime now) {
  const auto [found, first] = asked_.try_emplace(association);
  Asked& asked = found->second;
  std::string out = first ? "" : judge(asked, poll, now - asked.last);
  if (first) asked.burst_left = kBurst - 1;
  asked.last = now;
  asked.answered = false;
  return out;
}

std::string RateWatch::judge(Asked& asked, const ntp::PollConfig& poll, Duration gap) const {
  const Duration interval = ntp::exp2_seconds(poll.minpoll);
  if (gap >= least(interval * 15 / 16)) return "";
  if (asked.burst_left > 0 && gap >= least(kBurstSpacing)) {
    --asked.burst_left;
    return "";
  }
  if (!asked.answered && asked.probes < kProbes && gap >= least(kProbeSpacing)) {
    ++asked.probes;
    return "";
  }
  return "asked " + format(gap) + " after the request before";
}

void RateWatch::answered(ntp::AssociationId association) {
  const auto found = asked_.find(association);
  if (found == asked_.end()) return;
  found->second.answered = true;
  found->second.probes = 0;
}

void RateWatch::restarted() {
  for (auto& [association, asked] : asked_) asked.burst_left = kBurst;
}

}  // namespace timepool::sim
