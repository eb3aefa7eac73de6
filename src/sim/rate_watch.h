// RateWatch: that no server is asked more often than is promised, whatever happens: the rate of the
// shortest poll, and besides it what ntp/poll_schedule.h promises. It knows nothing of
// how the client plans its requests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "ntp/outbox.h"
#include "ntp/poll_schedule.h"

namespace timepool::sim {

class RateWatch {
 public:
  // A burst: up to 8 requests, 2 s apart.
  static constexpr int kBurst = 8;
  static constexpr Duration kBurstSpacing = Duration::seconds(2);
  // Requests in vain in a row may come sooner than the poll, but not sooner than this. Seven within
  // two minutes, then with doubling intervals, from 32 s to 18 h, until that is the poll's.
  static constexpr Duration kProbeSpacing = Duration::seconds(3);
  static constexpr int kProbes = 7 + 11;
  // With `burst`: more requests after one that brought nothing of use.
  static constexpr int kAgain = 3;

  // A request of the association at `now`, by its own clock. Empty, or what is wrong with it.
  std::string request(ntp::AssociationId association, const ntp::PollConfig& poll, MonoTime now);
  // An answer to its request was taken; whether it was of use.
  void answered(ntp::AssociationId association, bool useful);
  // All may ask in a burst again: the samples were lost.
  void restarted();

 private:
  struct Asked {
    MonoTime last;
    int burst_left = kBurst;
    int probes = 0;  // since the last answer
    int again = 0;   // since the last regular request
    bool warmed_up = true;
    bool answered = false;
    bool useful = false;
  };
  bool allowed(Asked& asked, const ntp::PollConfig& poll, Duration gap) const;

  std::map<ntp::AssociationId, Asked> asked_;
};

}  // namespace timepool::sim
