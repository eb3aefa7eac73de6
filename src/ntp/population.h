// Population: which addresses of the sources are measured. Looks names up, starts an association
// for each address in use, and replaces those that fail (F5 to F7, B30) or whose time is of no use
// (F11).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "ntp/members.h"
#include "ntp/outbox.h"
#include "ntp/source_table.h"

namespace timepool::ntp {

struct PopulationConfig {
  ExchangeConfig exchange;  // of every association; the version is the source's
  // How many must agree before there is a reference.
  std::size_t min_sources = 1;
  // F11: at most one bad but answering address is replaced in this time.
  Duration replace_interval = Duration::seconds(1800);
  // F11: this many samples in a row as a falseticker, or unusable answers in a row, make it bad.
  std::uint32_t bad_limit = 8;
};

class Population {
 public:
  // Makes the authenticator of each new association.
  using AuthenticatorFactory = std::function<std::unique_ptr<Authenticator>(const Source&)>;

  Population(const PopulationConfig& config, AuthenticatorFactory factory);

  // False when there are kMaxSources, or the configuration's limits are not kept.
  [[nodiscard]] bool add(const SourceConfig& config, MonoTime now);
  // The answer to a look-up; empty when it failed.
  void handle_addresses(SourceId source, std::span<const IpAddress> addresses, MonoTime now);

  MonoTime next_deadline() const;
  // Asks for look-ups that are due, and starts associations where addresses came.
  void grow(MonoTime now, Outbox& out);
  // `survivors` agree now on the time. Moves members.
  void replace_failed(MonoTime now, std::size_t survivors, Outbox& out);

  const SourceTable& sources() const { return sources_; }
  const Members& members() const { return members_; }
  Members& members() { return members_; }

 private:
  void resolve(MonoTime now, Outbox& out);
  void fill(Source& source, MonoTime now);
  bool start_association(Source& source, const IpAddress& address, MonoTime now);
  // The two reasons to replace a member: it does not answer, or what it answers is of no use.
  bool has_failed(const Member& member, const SourceConfig& config) const;
  bool is_bad(const Member& member, const SourceConfig& config) const;
  bool may_replace_bad(MonoTime now, std::size_t survivors) const;
  // False when the member stays, for lack of room in the Outbox.
  bool replace(AssociationId id, Source& source, const IpAddress& address, MonoTime now,
               Outbox& out);

  PopulationConfig config_;
  AuthenticatorFactory factory_;
  SourceTable sources_;
  Members members_;
  AssociationId next_id_ = 1;
  std::optional<MonoTime> last_replacement_;
  MonoTime fill_due_ = MonoTime::max();
};

}  // namespace timepool::ntp
