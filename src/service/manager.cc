#include "service/manager.h"

#include "service/secrets.h"
#include "store/migration.h"
#include "store/records.h"

namespace timepool::service {
namespace {

constexpr const char* kTicketKey = "ticket_key";

// The key of tickets lives in the database: tickets outlive a restart.
Result<std::string> load_ticket_key(store::Db& db) {
  std::string key;
  const auto load = [&](store::Tx& tx) -> Result<void> {
    key = TRY(store::find_meta(tx, kTicketKey)).value_or("");
    if (!key.empty()) return {};
    key = random_token();
    return store::set_meta(tx, kTicketKey, key);
  };
  TRY(db.write(load));
  return key;
}

}  // namespace

Manager::Manager(std::unique_ptr<store::Db> db, const Settings& settings, ManagerParts parts,
                 sys::Logger& log)
    : db_(std::move(db)),
      settings_(settings),
      parts_(std::move(parts)),
      log_(log),
      scheduler_({settings.check_interval, settings.bad_interval, settings.bad_score},
                 parts_.seed) {}

Result<std::unique_ptr<Manager>> Manager::create(std::unique_ptr<store::Db> db,
                                                 const Settings& settings, crypto::SigningKey key,
                                                 ManagerParts parts, sys::Logger& log) {
  const int migrated = TRY(store::migrate(*db, store::migrations(), parts.unix_now()));
  if (migrated > 0) log.info("database: {} migrations applied", migrated);
  std::unique_ptr<Manager> out(new Manager(std::move(db), settings, std::move(parts), log));
  Manager& self = *out;
  Tickets tickets(TRY(load_ticket_key(*self.db_)));
  self.publisher_ = TRY(Publisher::create(*self.db_, self.settings_, std::move(key),
                                          self.parts_.unix_now, log, self.parts_.asn_of));
  const auto names_changed = [&self] { self.publisher_->mark_names_changed(); };
  self.registry_ = std::make_unique<Registry>(
      *self.db_, self.settings_, self.parts_.country_of, self.parts_.unix_now,
      [&self] { self.on_change(); }, names_changed);
  self.names_ =
      std::make_unique<Names>(*self.db_, self.settings_, self.parts_.unix_now, names_changed);
  std::int64_t last_ticket = 0;
  const auto find_last = [&](store::Tx& tx) -> Result<void> {
    last_ticket = TRY(store::last_ticket(tx));
    return {};
  };
  TRY(self.db_->read(find_last));
  self.intake_ = std::make_unique<Intake>(
      *self.db_, self.settings_, self.scheduler_, std::move(tickets), self.parts_.unix_now,
      [&self] { self.publisher_->mark_changed(); }, names_changed, UnixTime::from_ns(last_ticket));
  self.handed_out_ = std::make_unique<HandedOut>(*self.db_, self.parts_.unix_now);
  TRY(self.rebuild_schedule());
  TRY(self.publisher_->publish());
  self.publisher_->start();
  return out;
}

Result<void> Manager::rebuild_schedule() {
  const std::lock_guard lock(schedule_mutex_);
  std::vector<std::int64_t> servers;
  std::vector<std::int64_t> monitors;
  std::vector<PairState> known;
  const UnixTime now = parts_.unix_now();
  const auto list = [&](store::Tx& tx) -> Result<void> {
    const auto all_servers = TRY(store::list_servers(tx));
    for (const store::Server& server : all_servers) servers.push_back(server.id);
    const auto all_monitors = TRY(store::list_monitors(tx));
    for (const store::Monitor& monitor : all_monitors) {
      if (monitor.status == "active") monitors.push_back(monitor.id);
    }
    const auto pairs = TRY(store::list_pairs(tx));
    for (const store::Pair& pair : pairs) {
      known.push_back({pair.server_id, pair.monitor_id, now - pair.last_check, pair.raw});
    }
    return {};
  };
  TRY(db_->read(list));
  scheduler_.assign(pool::assign(servers, monitors), known, parts_.mono_now());
  return {};
}

void Manager::on_change() {
  const Result<void> done = rebuild_schedule();
  // The change itself is stored; its checks begin at the next change or restart.
  if (!done.ok()) log_.error("schedule: {}", done.error().text());
  work_signal_->notify();
  publisher_->mark_changed();
}

Result<Manager::History> Manager::history(std::string_view address,
                                          store::HistoryQuery query) const {
  History out;
  const auto parsed = parse_ip(address);
  const Error missing{ErrorCode::kNotFound, "server " + std::string(address.substr(0, 64)),
                      "is not registered"};
  if (!parsed.ok()) return fail(missing);
  const auto look = [&](store::Tx& tx) -> Result<void> {
    auto server = TRY(store::find_server(tx, parsed->unmapped()));
    if (!server) return fail(missing);
    out.server = std::move(*server);
    out.monitors = TRY(store::list_monitors(tx));
    out.pairs = TRY(store::list_pairs_of(tx, out.server.id));
    query.server_id = out.server.id;
    out.entries = TRY(store::list_scores(tx, query));
    return {};
  };
  TRY(db_->read(look));
  return out;
}

}  // namespace timepool::service
