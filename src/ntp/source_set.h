// SourceSet: the client as a whole. Names become addresses, addresses become associations, failed
// ones are replaced (ntp/population.h), and from those that answer the time is made: which servers
// agree, who lies, and by how much the local clock is off (ntp/reference.h). It observes; nothing
// here touches a clock.
//
// The caller: does what the Outbox says after every call; calls handle_timer() when next_deadline()
// has come; hands in datagrams with the association whose socket they came to. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ntp/local_time.h"
#include "ntp/outbox.h"
#include "ntp/population.h"
#include "ntp/reference.h"
#include "ntp/source_report.h"

namespace timepool::ntp {

using SourceSetConfig = PopulationConfig;

class SourceSet {
 public:
  using AuthenticatorFactory = Population::AuthenticatorFactory;

  explicit SourceSet(const SourceSetConfig& config, AuthenticatorFactory factory = {});

  // False when there are kMaxSources, or the configuration's limits are not kept.
  [[nodiscard]] bool add(const SourceConfig& config, MonoTime now) {
    return population_.add(config, now);
  }

  MonoTime next_deadline() const;
  void handle_timer(LocalTime now, RandomStream& random, Outbox& out);
  // The reason for the datagram; kUnsolicited when the association is gone.
  ReplyReason handle_datagram(AssociationId association, const ReplyRx& rx, Bytes datagram,
                              RandomStream& random, Outbox& out);
  void handle_transmit_timestamp(AssociationId association, const TransmitStamp& stamp);
  // The answer to out.resolves; empty when the look-up failed. Further associations start with the
  // next handle_timer(), which is due at once.
  void handle_addresses(SourceId source, std::span<const IpAddress> addresses, MonoTime now) {
    population_.handle_addresses(source, addresses, now);
  }

  // CHECKs that there is such a source.
  const std::string& name(SourceId source) const;
  std::vector<SourceReport> reports(MonoTime now) const;
  Tracking tracking(MonoTime now) const { return reference_.tracking(now); }
  // Datagrams of all associations, past ones too.
  std::uint64_t count(ReplyReason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }

 private:
  void notice_step(LocalTime now, Outbox& out);
  void update(LocalTime now, Outbox& out);

  Population population_;
  Reference reference_;
  std::optional<LocalTime> last_seen_;
  std::array<std::uint64_t, kReplyReasonCount> counts_{};
};

}  // namespace timepool::ntp
