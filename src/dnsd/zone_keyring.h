// ZoneKeyring: the keys of one zone, on disk and in memory. It makes them, leads them through their
// life (dnssec/key_plan.h) and writes every step down before it is served; or, where another server
// does that (`roll = false`), it takes what is put into the directory. Whatever is wrong with files
// leaves the keys that are in use as they are, and is told. Not for several threads at once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/dnsd_dnssec.h"
#include "crypto/dns_key_directory.h"
#include "dnsd/ds_lookup.h"
#include "dnssec/key_state.h"
#include "sys/log.h"

namespace timepool::dnsd {

class ZoneKeyring {
 public:
  // How often the state is written though nothing changed, so that a reboot costs little time.
  static constexpr dnssec::PlanTime kSaveInterval = 3600;
  // How long until what failed is tried again, and how often files are looked at.
  static constexpr Duration kRetry = Duration::seconds(10);
  static constexpr Duration kFileInterval = Duration::seconds(60);

  struct Now {
    dnssec::ClockMark mark;
    MonoTime mono;
    UnixTime wall;
    bool may_roll = true;  // false: another process has the directory, as in a take-over
  };

  // `directory` and `logger` must live as long.
  ZoneKeyring(wire::dns::DnsName zone, const config::DnsdDnssecZoneConfig& config,
              const crypto::DnsKeyDirectory& directory, sys::Logger& logger);

  // Other settings; they count from the next look.
  void reconfigure(const config::DnsdDnssecZoneConfig& config);
  // Does what is due. True: keys() is another than before.
  bool look(const Now& now);
  // Null: there is nothing to sign with.
  const std::shared_ptr<const dnssec::ZoneKeys>& keys() const { return keys_; }

  // Whether the zone is served without signatures by its plan: it was led out of DNSSEC.
  bool unsigned_by_plan() const;

  // For commands; each is followed by a look. Errors: kNotFound without such a key, kDenied where
  // another server rolls, kUnavailable without any keys.
  Result<void> ask_to_leave(std::optional<std::uint16_t> tag, std::optional<dnssec::KeyRole> role);
  Result<void> observe(const std::vector<std::uint16_t>& tags, const Now& now);
  // What the parent's DS set holds; records of other keys are left out.
  Result<void> observe(const DsSet& set, const Now& now);

  bool waits_for_parent() const;
  // What a DNS operator gives to the parent: data of DS records, of the keys that are offered, or
  // with `early` of those that will be.
  std::vector<std::vector<std::byte>> ds_set(bool early) const;
  const wire::dns::DnsName& zone() const { return zone_; }
  const config::DnsdDnssecZoneConfig& config() const { return config_; }
  // Nothing before the first look that went well.
  const std::optional<dnssec::KeyPlan>& plan() const { return plan_; }
  std::optional<dnssec::PlanTime> next_deadline() const;
  // The system's time for the plan's, as far as one can tell.
  UnixTime wall(dnssec::PlanTime time) const;
  dnssec::PlanTime time() const { return time_; }
  // What is wrong now; empty: nothing.
  const std::string& problem() const { return problem_; }

 private:
  bool begin(const Now& now);
  bool roll(const Now& now);
  bool follow(const Now& now);
  void check_files(const Now& now);
  Result<void> make_keys(dnssec::KeyPlan& plan, std::vector<dnssec::PlannedKey>& made);
  Result<std::uint16_t> make_key(dnssec::KeyPlan& plan, const dnssec::KeyWish& wish);
  Result<void> commit(dnssec::KeyPlan next, const Now& now);
  bool is_on_disk(const dnssec::KeyPlan& next, const Now& now) const;
  Result<std::shared_ptr<const dnssec::ZoneKeys>> signing_keys(const dnssec::KeyRecord& record);
  void tell_steps(const dnssec::KeyRecord& before, const dnssec::KeyRecord& after);
  void note(const Error& error);
  void note(std::string problem);
  void solved();
  Result<void> may_change() const;

  wire::dns::DnsName zone_;
  std::string name_;  // as text, with the ending dot
  config::DnsdDnssecZoneConfig config_;
  const crypto::DnsKeyDirectory& directory_;
  sys::Logger& logger_;

  std::optional<dnssec::KeyPlan> plan_;
  std::optional<dnssec::PlanClock> clock_;
  dnssec::PlanTime time_ = 0;
  UnixTime wall_;
  std::map<std::uint16_t, std::shared_ptr<const crypto::DnsKey>> loaded_;
  std::shared_ptr<const dnssec::ZoneKeys> keys_;
  std::string stamp_;
  std::string problem_;
  bool file_problem_ = false;
  bool due_ = true;  // whatever the deadline says
  std::optional<dnssec::PlanTime> deadline_;
  // As it is on disk; nothing: it is not, or not by this object.
  std::optional<dnssec::KeyStateFile> saved_;
  std::optional<MonoTime> retry_;
  MonoTime files_checked_;
};

// The policy that the settings make up.
dnssec::KeyPolicy key_policy(const config::DnsdDnssecZoneConfig& config);

}  // namespace timepool::dnsd
