#include "service/publisher.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "pool/zone.h"
#include "service/names.h"
#include "service/secrets.h"
#include "snapshot/seal.h"
#include "store/records.h"
#include "store/servers.h"

namespace timepool::service {
namespace {

std::string payload_of(const pool::Zone& zone, std::uint64_t serial) {
  return fmt::format("{{\"format\":1,\"serial\":{},\"zones\":{{\"{}\":{}}}}}", serial,
                     pool::json_escaped(zone.name),
                     pool::to_geodns_json(zone, static_cast<std::uint32_t>(serial)));
}

}  // namespace

Publisher::Publisher(store::Db& db, const Settings& settings, crypto::SigningKey key, UnixClock now,
                     sys::Logger& log, AsnOf asn_of)
    : db_(db),
      settings_(settings),
      key_(std::move(key)),
      now_(std::move(now)),
      log_(log),
      asn_of_(std::move(asn_of)) {}

Result<std::unique_ptr<Publisher>> Publisher::create(store::Db& db, const Settings& settings,
                                                     crypto::SigningKey key, UnixClock now,
                                                     sys::Logger& log, AsnOf asn_of) {
  std::unique_ptr<Publisher> out(
      new Publisher(db, settings, std::move(key), std::move(now), log, std::move(asn_of)));
  const auto load = [&](store::Tx& tx) -> Result<void> {
    const auto last = TRY(store::find_snapshot(tx, kDnsChannel));
    if (!last) return {};
    out->current_ = Published{last->serial, last->created};
    out->feed_.publish(kDnsChannel, last->serial, last->body);
    // One that another key sealed is replaced at the next publish().
    if (last->public_key == out->public_key_hex()) out->content_hash_ = last->content_hash;
    return {};
  };
  TRY(db.read(load));
  return out;
}

Publisher::~Publisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Publisher::start() {
  thread_ = std::thread([this] { run(); });
}

void Publisher::mark_changed() {
  {
    const std::lock_guard lock(mutex_);
    changed_ = true;
  }
  wake_.notify_all();
}

void Publisher::mark_names_changed() {
  {
    const std::lock_guard lock(mutex_);
    names_changed_ = true;
  }
  wake_.notify_all();
}

std::optional<Published> Publisher::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::map<std::string, pool::NameReport> Publisher::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

std::string Publisher::public_key_hex() const {
  return crypto::format(key_.public_key());
}

void Publisher::run() {
  using Clock = std::chrono::steady_clock;
  const auto interval = std::chrono::nanoseconds(settings_.publish_min_interval.ns());
  const auto names_interval =
      std::min(interval, std::chrono::nanoseconds(settings_.publish_names_interval.ns()));
  Clock::time_point last = Clock::now() - interval;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait(lock, [&] { return stopping_ || changed_ || names_changed_; });
    // A change of names cuts the waiting for the others short.
    const bool early =
        wake_.wait_until(lock, last + interval, [&] { return stopping_ || names_changed_; });
    if (early) wake_.wait_until(lock, last + names_interval, [&] { return stopping_; });
    if (stopping_) return;
    const bool names = names_changed_;
    changed_ = names_changed_ = false;
    last = Clock::now();
    lock.unlock();
    const Result<bool> done = publish();
    if (!done.ok()) log_.error("publish: {}", done.error().text());
    lock.lock();
    // What could not be published is tried again after the same interval.
    if (!done.ok()) (names ? names_changed_ : changed_) = true;
  }
}

Result<pool::Zone> Publisher::build() const {
  std::vector<store::Server> servers;
  std::vector<store::NtsServer> names;
  std::vector<pool::Candidate> candidates;
  const auto list = [&](store::Tx& tx) -> Result<void> {
    servers = TRY(store::list_servers(tx));
    names = TRY(store::list_nts_servers(tx));
    for (const store::Server& server : servers) {
      pool::Candidate candidate = Registry::candidate_of(server);
      if (asn_of_) candidate.asn = asn_of_(server.address);
      candidates.push_back(std::move(candidate));
    }
    return {};
  };
  TRY(db_.read(list));
  return pool::build_zone(candidates, settings_.zone,
                          named_servers(servers, candidates, names, settings_));
}

Result<bool> Publisher::publish() {
  const std::lock_guard one_at_a_time(publish_mutex_);
  Result<bool> done = publish_now();
  if (!done.ok()) ++failures_;
  return done;
}

Result<bool> Publisher::publish_now() {
  const pool::Zone zone = TRY(build());
  {
    const std::lock_guard lock(mutex_);
    names_ = zone.reports;
  }
  const std::string hash = sha256_hex(payload_of(zone, 0));
  if (hash == content_hash_) return false;

  store::PublishedSnapshot next;
  next.created = now_();
  const auto last = current();
  next.serial = std::max<std::uint64_t>(
      last ? last->serial + 1 : 1,
      static_cast<std::uint64_t>(std::max<std::int64_t>(next.created.seconds(), 1)));
  next.content_hash = hash;
  next.public_key = public_key_hex();
  next.body = TRY(snapshot::seal(payload_of(zone, next.serial), next.serial, next.created, key_));
  const auto store = [&](store::Tx& tx) { return store::set_snapshot(tx, kDnsChannel, next); };
  TRY(db_.write(store));

  content_hash_ = hash;
  log_.info("published snapshot {} of {}: {} names", next.serial, zone.name, zone.labels.size());
  {
    const std::lock_guard lock(mutex_);
    current_ = Published{next.serial, next.created};
  }
  feed_.publish(kDnsChannel, next.serial, std::move(next.body));
  return true;
}

}  // namespace timepool::service
