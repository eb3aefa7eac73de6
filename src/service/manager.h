// Manager: the use cases of poold joined over one database: registry, schedule, intake and
// publisher, each told when another one changed something.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "crypto/ed25519.h"
#include "net/change_signal.h"
#include "service/handed_out.h"
#include "service/intake.h"
#include "service/names.h"
#include "service/publisher.h"
#include "service/registry.h"
#include "service/scheduler.h"
#include "service/settings.h"
#include "store/db.h"
#include "sys/log.h"

namespace timepool::service {

struct ManagerParts {
  CountryOf country_of;
  AsnOf asn_of;
  UnixClock unix_now;
  std::function<MonoTime()> mono_now;
  std::uint64_t seed = 0;  // of the schedule's jitter
};

class Manager {
 public:
  // Brings the database to the program's schema, rebuilds the schedule and publishes.
  static Result<std::unique_ptr<Manager>> create(std::unique_ptr<store::Db> db,
                                                 const Settings& settings, crypto::SigningKey key,
                                                 ManagerParts parts, sys::Logger& log);
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  const Settings& settings() const { return settings_; }
  Registry& registry() { return *registry_; }
  Names& names() { return *names_; }
  Intake& intake() { return *intake_; }
  Publisher& publisher() { return *publisher_; }
  HandedOut& handed_out() { return *handed_out_; }
  store::Db& db() { return *db_; }
  MonoTime mono_now() const { return parts_.mono_now(); }
  UnixTime unix_now() const { return parts_.unix_now(); }

  Result<std::optional<store::Monitor>> monitor_of_token(std::string_view token) const {
    return registry_->monitor_of_token(token);
  }
  // Moves on when there may be more work for a monitor.
  const std::shared_ptr<net::ChangeSignal>& work_signal() const { return work_signal_; }

  // The history behind /scores: see store/history.h. Errors: kNotFound.
  struct History {
    store::Server server;
    std::vector<store::Monitor> monitors;  // all
    std::vector<store::Pair> pairs;        // of the server
    std::vector<store::ScoreEntry> entries;
  };
  Result<History> history(std::string_view address, store::HistoryQuery query) const;

 private:
  Manager(std::unique_ptr<store::Db> db, const Settings& settings, ManagerParts parts,
          sys::Logger& log);
  Result<void> rebuild_schedule();
  void on_change();

  std::unique_ptr<store::Db> db_;
  const Settings settings_;
  ManagerParts parts_;
  sys::Logger& log_;
  std::mutex schedule_mutex_;  // the one who reads last assigns last
  std::shared_ptr<net::ChangeSignal> work_signal_ = std::make_shared<net::ChangeSignal>();
  Scheduler scheduler_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Names> names_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<HandedOut> handed_out_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace timepool::service
