#include "sim/poll_rate.h"

#include <algorithm>
#include <cmath>

namespace timepool::sim {
namespace {

// A burst of the start, or probes after a miss, at the most.
constexpr double kBurst = 8;
// Bursts that were not used up do not add up to more.
constexpr double kMostExtra = 2 * kBurst;
// The interval is a sixteenth shorter at the least; a little for the client's own latency.
constexpr double kShortest = 15.0 / 16 - 0.001;
constexpr std::size_t kMaxViolations = 5;

}  // namespace

void PollRate::allow(Server& server, const ntp::SourceReport& report, bool burst_option,
                     MonoTime now, bool others_fell_silent) {
  const int poll = std::min<int>(server.poll, report.poll);
  const double elapsed = (now - server.seen).to_seconds();
  server.seen = now;
  server.due = std::min(1.0, server.due + elapsed / (std::exp2(poll) * kShortest));
  // The first miss in a row is followed by probes; each vain poll by more with the option `burst`,
  // which keep the mean at minpoll.
  const bool missed = report.unanswered > server.unanswered;
  if (missed && server.unanswered == 0) server.extra += kBurst;
  if (missed && burst_option) server.extra += 3;
  if (others_fell_silent) server.extra += 1;
  // Whether new keys work is to be known soon.
  const std::uint64_t renewals = report.nts ? report.nts->state.renewals : 0;
  if (renewals > server.renewals) server.extra += 1;
  server.renewals = renewals;
  // Switched on again it is asked as at the start.
  if (report.online && !server.online) server.extra += kBurst;
  server.online = report.online;
  server.extra = std::min(server.extra, kMostExtra);
  server.unanswered = report.unanswered;
}

void PollRate::look(std::span<const ntp::SourceReport> reports, const ntp::SourceTable& sources,
                    MonoTime now, bool restarted) {
  bool silent = false;
  for (const ntp::SourceReport& report : reports) {
    const auto known = servers_.find(report.association);
    if (known != servers_.end()) silent |= report.unanswered > known->second.unanswered;
  }
  for (const ntp::SourceReport& report : reports) {
    const ntp::Source* source = sources.find(report.source);
    if (!report.server || source == nullptr) continue;
    const auto [found, is_new] = servers_.try_emplace(report.association);
    Server& server = found->second;
    if (is_new) server = {now, 0, 0, report.online, report.poll, 1, kBurst};
    if (restarted) server.extra += kBurst;
    allow(server, report, source->config().poll.burst, now, silent);
    // A request that could not be sent is taken back.
    const bool more = report.requests > server.requests;
    const double asked = more ? static_cast<double>(report.requests - server.requests) : 0;
    server.requests = report.requests;
    if (!more) continue;
    server.poll = report.poll;
    const double by_interval = std::min(asked, std::floor(server.due + 1e-6));
    server.due -= by_interval;
    server.extra -= asked - by_interval;
    if (server.extra >= 0 || violations_.size() >= kMaxViolations) continue;
    violations_.push_back(format(*report.server) + " was asked more often than poll " +
                          std::to_string(report.poll) + " and the documented bursts allow");
    server.extra = 0;
  }
}

}  // namespace timepool::sim
