// PollRate: watches that no server is asked more often than documented (ntp/poll_schedule.h): once
// in each 2^poll seconds a sixteenth more or less, and besides by the bursts that have a cause.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "ntp/source_report.h"
#include "ntp/source_table.h"

namespace timepool::sim {

class PollRate {
 public:
  // After everything that the client does. `restarted`: since the last look the local clock was
  // stepped, or the network came back, so that everybody may be asked again in a burst.
  void look(std::span<const ntp::SourceReport> reports, const ntp::SourceTable& sources,
            MonoTime now, bool restarted);
  // "192.0.2.1:123 was asked more often than ..."
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Server {
    MonoTime seen;
    std::uint64_t requests = 0;
    std::uint32_t unanswered = 0;
    bool online = true;
    int poll = 0;      // when it was asked last
    double due = 1;    // requests that the interval allows now
    double extra = 0;  // and that bursts do
    std::uint64_t renewals = 0;
  };
  void allow(Server& server, const ntp::SourceReport& report, bool burst_option, MonoTime now,
             bool others_fell_silent);

  std::map<ntp::AssociationId, Server> servers_;
  std::vector<std::string> violations_;
};

}  // namespace timepool::sim
