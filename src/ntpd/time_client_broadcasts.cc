// The part of the TimeClient that hears broadcasts.
#include <algorithm>
#include <vector>

#include "ntpd/kernel_clock.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {

BroadcastListener::Handlers TimeClient::broadcast_handlers() {
  BroadcastListener::Handlers out;
  out.received = [this](const std::string& name, const Arrival& arrival) {
    receive_broadcast(name, arrival);
  };
  out.done = [this] { carry_out(*outbox_); };
  return out;
}

// By name: a source whose key changed is another source of that name.
void TimeClient::receive_broadcast(const std::string& name, const Arrival& arrival) {
  const ntp::SourceTable& all = sources().sources();
  const auto source = std::find_if(all.begin(), all.end(), [&](const ntp::Source& it) {
    return it.listens() && it.config().name == name;
  });
  const ntp::SourceId id = source == all.end() ? ntp::kNoSource : source->id();
  tell_announced();
  const ntp::ClockReading now = read_clocks();
  const ntp::SystemRx rx{now, arrival.received, arrival.source, arrival.error};
  const ntp::ReplyReason reason =
      keeper_.handle_broadcast(id, arrival.from, rx, arrival.bytes, random_, *outbox_);
  if (log_ != nullptr && is_answer(reason)) {
    const std::vector<ntp::SourceReport> reports = keeper_.reports(now.mono);
    const auto server = std::find_if(reports.begin(), reports.end(), [&](const auto& report) {
      return report.source == id && report.server == arrival.from;
    });
    if (server != reports.end()) log_answer(*log_, keeper_, server->association, now);
  }
  note(reason, arrival, now.mono);
}

}  // namespace timepool::ntpd
