// The reference clocks of the client.
#include "base/check.h"
#include "ntpd/kernel_clock.h"
#include "ntpd/time_client.h"
#include "sys/clock.h"

namespace timepool::ntpd {

void TimeClient::start_refclocks(const std::vector<config::NtpRefclockConfig>& configs) {
  for (const config::NtpRefclockConfig& config : configs) {
    const auto id = keeper_.sources().add_refclock(refclock_config(config), sys::mono_now());
    // The schema's limits are those of the core.
    CHECK(id.has_value());
    refclocks_.add(*id, config);
  }
}

void TimeClient::on_refclock(ntp::AssociationId id, const refclock::Look& look) {
  outbox_->clear();
  const ntp::RefclockReason reason =
      keeper_.handle_refclock(id, look.reason, look.reading, read_clocks(), *outbox_);
  if (log_ != nullptr) refclock_log_.look(*log_, keeper_, id, look, reason);
  if (reason != ntp::RefclockReason::kNothingNew) {
    logger_.debug("reading of {}: {}", sources().title(id), name_of(reason));
  }
  if (!outbox_->events.empty()) carry_out(*outbox_);
}

}  // namespace timepool::ntpd
