#include "dnsd/zone_keeper.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <utility>

#include "dns/zone/health.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace {

dns::ResponderSettings settings_of(const config::DnsdConfig& config,
                                   const dns::CookieSecrets& cookies) {
  dns::ResponderSettings out;
  out.identity = config.server.identity;
  out.version = config.server.version;
  out.max_udp = config.server.max_udp;
  out.max_udp_without_cookie = config.cookies.max_udp_without;
  out.cookies = cookies;
  // RFC 7828 3.1: in tenths of a second.
  const std::int64_t tenths = config.tcp.idle_timeout.ns() / 100'000'000;
  out.tcp_keepalive = static_cast<std::uint16_t>(std::min<std::int64_t>(tenths, 0xffff));
  out.online_signatures = config.dnssec.online_signatures;
  return out;
}

// Clients ask from many ports, and so all workers share a network's queries.
std::shared_ptr<const Guard> guard_of(const config::DnsdConfig& config) {
  const config::DnsdRrlConfig& rrl = config.rrl;
  auto out = std::make_shared<Guard>();
  const double rate = static_cast<double>(rrl.rate) / std::max(config.server.threads, 1U);
  out->limits.rate = BucketRate::of(rate, rate * rrl.window);
  out->limits.slip = rrl.slip;
  out->limits.v4_bits = rrl.ipv4_prefix;
  out->limits.v6_bits = rrl.ipv6_prefix;
  out->limits.exempt = dns::ExemptAddresses(rrl.exempt);
  out->requires_cookies = config.cookies.required;
  return out;
}

Result<CookieSeed> cookie_seed_of(const config::DnsdCookiesConfig& config) {
  if (config.seed_file.empty()) return random_cookie_seed();
  auto seed = read_cookie_seed(config.seed_file);
  if (!seed.ok()) {
    Error error = seed.error();
    error.operation = "[cookies] seed_file: " + error.operation;
    return fail(std::move(error));
  }
  return seed;
}

// Scans are a second apart.
constexpr std::uint64_t kScansPerCollect = 10;

std::vector<wire::dns::DnsName> origins_of(const dns::CompiledZones& zones) {
  std::vector<wire::dns::DnsName> out;
  for (const auto& zone : zones.zones()) out.push_back(zone.origin);
  return out;
}

std::shared_ptr<const dns::CompiledZones> no_zones() {
  dns::ClassCache cache;
  return dns::CompiledZones::compile({}, dns::GeoTable(), cache).value();
}

TransferKeeper::Now transfer_time() {
  return {sys::mono_now(), static_cast<std::uint32_t>(sys::unix_now().seconds())};
}

// What tells that a file may have changed; empty when it is not there.
std::string stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec) +
         '/' + std::to_string(status.st_ctim.tv_sec) + '.' +
         std::to_string(status.st_ctim.tv_nsec) + '/' + std::to_string(status.st_size) + '/' +
         std::to_string(status.st_ino);
}

std::vector<std::string> stamps_of(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) out.push_back(stamp_of(path));
  return out;
}

}  // namespace

ZoneKeeper::ZoneKeeper(const config::DnsdConfig& config, std::size_t lanes, sys::Logger& logger)
    : logger_(logger),
      cookie_seed_(random_cookie_seed()),
      config_(config),
      transfer_signer_(std::make_unique<TransferSigner>(
          logger, [this](const auto& zone, auto version) { take_transfer(zone, version); })),
      transfers_(config, *transfer_signer_, logger),
      editions_{{no_zones(), std::make_shared<std::vector<LoadedZone>>()}},
      compiled_(editions_.back().zones),
      answered_(compiled_),
      accounting_(lanes),
      tally_(accounting_.begin(answered_)),
      countries_(std::make_shared<const CountryTable>(dns::GeoTable())),
      guard_(guard_of(config)),
      serving_(std::make_unique<Serving>(
          Serving{compiled_, settings_of(config, {}), guard_, tally_, countries_})) {}

// What it signs comes back here.
ZoneKeeper::~ZoneKeeper() {
  transfer_signer_.reset();
}

Result<std::unique_ptr<ZoneKeeper>> ZoneKeeper::create(const config::DnsdConfig& config,
                                                       std::size_t lanes, sys::Logger& logger) {
  std::unique_ptr<ZoneKeeper> out(new ZoneKeeper(config, lanes, logger));
  TRY(out->reconfigure(config));
  return out;
}

Result<void> ZoneKeeper::read_geography(const config::DnsdGeoipConfig& config, Inputs& inputs) {
  // Before reading, so that a change in between is seen as one.
  inputs.geography_stamps = stamps_of(config.files);
  inputs.geography = TRY(load_geography(config));
  inputs.countries = std::make_shared<const CountryTable>(inputs.geography.table);
  for (const GeoFile& file : inputs.geography.files) {
    logger_.info(
        "{}: {}, {} networks, of {}", file.path, file.type, file.networks,
        format_utc(UnixTime::from_seconds(static_cast<std::int64_t>(file.build_epoch)), 0));
  }
  return {};
}

bool ZoneKeeper::health_changed(Inputs& inputs) {
  const HealthDirectory::Scan scan = inputs.health.scan();
  for (const std::string& problem : scan.problems) {
    logger_.error("{}; what it said before stays", problem);
  }
  return scan.changed;
}

void ZoneKeeper::log_scan(const ZoneDirectory::Scan& scan) {
  for (const std::string& warning : scan.warnings) logger_.warning("{}", warning);
  for (const std::string& problem : scan.problems) {
    logger_.error("{}; its zone stays as it was", problem);
  }
  for (const std::string& path : scan.loaded) logger_.info("{}: loaded", path);
  for (const std::string& path : scan.removed) logger_.info("{}: gone", path);
}

Result<void> ZoneKeeper::reconfigure(const config::DnsdConfig& config) {
  const std::lock_guard lock(mutex_);
  const bool first = compiles_ == 0;
  const bool new_geography = first || !(config.geoip == config_.geoip);
  Inputs next = inputs_;
  CookieSeed seed = cookie_seed_;
  // A random one stays while no file is named.
  if (first || !config.cookies.seed_file.empty() || !config_.cookies.seed_file.empty()) {
    seed = TRY(cookie_seed_of(config.cookies));
  }
  if (new_geography) TRY(read_geography(config.geoip, next));
  if (first || !(config.zones == config_.zones)) {
    next.directory = ZoneDirectory(config.zones.directory);
    next.health = HealthDirectory(config.zones.health_directory);
  }
  log_scan(TRY(next.directory.scan()));
  health_changed(next);
  if (new_geography) classes_.clear();
  const config::DnsdConfig before = config_;
  const CookieSeed seed_before = std::exchange(cookie_seed_, seed);
  const auto guard_before = std::exchange(guard_, guard_of(config));
  config_ = config;
  transfers_.reconfigure(config);
  if (auto done = compile_and_publish(next); !done.ok()) {
    config_ = before;
    transfers_.reconfigure(before);
    cookie_seed_ = seed_before;
    guard_ = guard_before;
    if (new_geography) classes_.clear();
    return done;
  }
  inputs_ = std::move(next);
  directory_problem_.clear();
  if (new_geography) geography_problem_.clear();
  return {};
}

// Of a zone that a file and the snapshot have, the file counts.
std::vector<LoadedZone> ZoneKeeper::joined(const Inputs& inputs) const {
  std::map<std::string, LoadedZone> by_origin;
  for (const LoadedZone& zone : inputs.snapshot) by_origin[format(zone.zone->origin)] = zone;
  for (const LoadedZone& zone : inputs.directory.zones()) {
    by_origin[format(zone.zone->origin)] = zone;
  }
  std::vector<LoadedZone> out;
  for (auto& [origin, zone] : by_origin) {
    if (dns::has_tests(*zone.zone)) {
      zone.zone =
          std::make_shared<const dns::Zone>(dns::healthy_part(*zone.zone, inputs.health.files()));
    }
    out.push_back(std::move(zone));
  }
  return out;
}

Result<void> ZoneKeeper::compile_and_publish(const Inputs& inputs) {
  const MonoTime start = sys::mono_now();
  std::vector<LoadedZone> zones = joined(inputs);
  give_transfers_new_keys();
  auto transfers = transfers_.plan(zones, transfer_time());
  std::vector<const dns::Zone*> pointers;
  for (const LoadedZone& zone : zones) pointers.push_back(zone.zone.get());
  dns::ClassCache used;
  // Tables that no zone uses any more are dropped with the old cache.
  used.swap(classes_);
  auto compiled = dns::CompiledZones::compile(pointers, inputs.geography.table, used);
  if (!compiled.ok()) {
    classes_.swap(used);
    compile_problem_ = compiled.error();
    return fail(Error{ErrorCode::kExhausted, "compile the zones", compiled.error()});
  }
  for (const auto& info : (*compiled)->zones()) classes_[info.classes->use()] = info.classes;
  compile_problem_.clear();
  compiled_ = *compiled;
  countries_ = inputs.countries;
  take_compiled(std::move(zones));
  const auto changed = transfers_.commit(std::move(transfers));
  publish();
  tell(changed);
  last_compile_s_ = (sys::mono_now() - start).to_seconds();
  ++compiles_;
  logger_.debug("{} zones, {} names compiled in {:.3f} s", compiled_->zones().size(),
                compiled_->node_count(), last_compile_s_);
  return {};
}

// Keys first: a zone that is to be signed is not even for a moment served without.
void ZoneKeeper::take_compiled(std::vector<LoadedZone> zones) {
  keep_edition({compiled_, std::make_shared<const std::vector<LoadedZone>>(std::move(zones))});
  const std::vector<wire::dns::DnsName> origins = origins_of(*compiled_);
  if (keys_ != nullptr) keys_->expect(origins);
  if (signing_ == nullptr || !signing_->take_zones(compiled_)) turn_to(compiled_, nullptr);
  if (keys_ != nullptr) keys_->serve(origins);
}

void ZoneKeeper::keep_edition(Edition edition) {
  editions_.push_back(std::move(edition));
  // Nobody but this list has them: they can't be published any more.
  std::erase_if(editions_, [](const Edition& it) { return it.zones.use_count() == 1; });
}

std::shared_ptr<const std::vector<LoadedZone>> ZoneKeeper::documents_of(
    const dns::CompiledZones& zones) const {
  const auto found = std::find_if(editions_.begin(), editions_.end(),
                                  [&](const Edition& it) { return it.zones.get() == &zones; });
  CHECK(found != editions_.end());  // whoever has them keeps them here
  return found->documents;
}

void ZoneKeeper::publish() {
  const auto cookies = cookie_secrets(cookie_seed_, config_.cookies.rotation, sys::unix_now());
  cookie_epoch_ = cookies.epoch;
  serving_.publish(
      std::make_unique<Serving>(Serving{answered_, settings_of(config_, cookies), guard_, tally_,
                                        countries_, signed_, transfers_.current()}));
}

void ZoneKeeper::turn_to(std::shared_ptr<const dns::CompiledZones> zones,
                         std::shared_ptr<const dns::SignedZones> signed_zones) {
  if (zones != answered_) tally_ = accounting_.begin(zones);
  answered_ = std::move(zones);
  signed_ = std::move(signed_zones);
}

void ZoneKeeper::sign_with(SigningKeeper& signing) {
  const std::lock_guard lock(mutex_);
  signing_ = &signing;
  static_cast<void>(signing_->take_zones(compiled_));
}

// Not under mutex_: the keys of zones are asked for while it is held.
void ZoneKeeper::take_keys(std::shared_ptr<const dnssec::KeysByZone> keys) {
  const std::lock_guard lock(new_keys_mutex_);
  new_keys_ = std::move(keys);
}

void ZoneKeeper::give_transfers_new_keys() {
  std::shared_ptr<const dnssec::KeysByZone> keys;
  {
    const std::lock_guard lock(new_keys_mutex_);
    keys = std::exchange(new_keys_, nullptr);
  }
  if (keys != nullptr) transfers_.take_keys(std::move(keys));
}

void ZoneKeeper::take_transfer(const std::string& zone,
                               const std::shared_ptr<const dns::ZoneVersion>& version) {
  const std::lock_guard lock(mutex_);
  if (!transfers_.take_signed(zone, version)) return;
  publish();
  tell({version});
}

void ZoneKeeper::tell(const TransferKeeper::Versions& more) {
  if (!on_change_) {
    untold_.clear();
    return;
  }
  for (const auto& version : more) untold_[zone_key(version->origin)] = version;
  const auto transfers = transfers_.current();
  std::erase_if(untold_, [&transfers](const auto& it) {
    return transfers == nullptr || !transfers->zones.contains(it.first);
  });
  if (untold_.empty()) return;
  TransferKeeper::Versions ready;
  for (const auto& zone : answered_->zones()) {
    const auto at = untold_.find(zone_key(zone.origin));
    if (at == untold_.end() || dns::is_after(at->second->serial, zone.serial)) continue;
    ready.push_back(at->second);
    untold_.erase(at);
  }
  if (!ready.empty()) on_change_(ready);
}

TransferReport ZoneKeeper::transfers() const {
  const std::lock_guard lock(mutex_);
  return transfers_.report();
}

void ZoneKeeper::keys_by(KeyKeeper& keys) {
  const std::lock_guard lock(mutex_);
  keys_ = &keys;
  const std::vector<wire::dns::DnsName> origins = origins_of(*compiled_);
  keys_->expect(origins);
  keys_->serve(origins);
}

void ZoneKeeper::publish_signed(std::shared_ptr<const dns::CompiledZones> zones,
                                std::shared_ptr<const dns::SignedZones> signed_zones) {
  const std::lock_guard lock(mutex_);
  turn_to(std::move(zones), std::move(signed_zones));
  publish();
  tell({});
}

// A problem is logged when it is new, not each second.
void ZoneKeeper::note(std::string& slot, std::string problem) {
  if (problem != slot) logger_.error("{}; what was served stays", problem);
  slot = std::move(problem);
}

void ZoneKeeper::scan_geography() {
  if (stamps_of(config_.geoip.files) == inputs_.geography_stamps) return;
  Inputs next = inputs_;
  if (const auto read = read_geography(config_.geoip, next); !read.ok()) {
    note(geography_problem_, read.error().text());
    // Seen: it is read again when it changes once more.
    inputs_.geography_stamps = stamps_of(config_.geoip.files);
    return;
  }
  classes_.clear();
  if (const auto done = compile_and_publish(next); !done.ok()) {
    note(geography_problem_, done.error().text());
    inputs_.geography_stamps = next.geography_stamps;
    return;
  }
  geography_problem_.clear();
  inputs_ = std::move(next);
}

void ZoneKeeper::scan() {
  const std::lock_guard lock(mutex_);
  const auto cookies = cookie_secrets(cookie_seed_, config_.cookies.rotation, sys::unix_now());
  if (cookies.epoch != cookie_epoch_) publish();
  if (++scans_ % kScansPerCollect == 0) accounting_.collect();
  scan_geography();
  give_transfers_new_keys();
  bool changed = transfers_.wants_plan(transfer_time());
  const auto scan = inputs_.directory.scan();
  if (scan.ok()) {
    directory_problem_.clear();
    log_scan(*scan);
    changed = health_changed(inputs_) || scan->changed || changed;
  } else {
    note(directory_problem_, scan.error().text());
  }
  if (!changed) return;
  if (const auto done = compile_and_publish(inputs_); !done.ok()) {
    logger_.error("{}; what was served stays", done.error().text());
  }
}

Result<void> ZoneKeeper::take_snapshot(const snapshot::Snapshot& snapshot) {
  // Reading takes the longest and needs no lock.
  std::vector<LoadedZone> zones = TRY(zones_of(snapshot));
  const std::lock_guard lock(mutex_);
  std::vector<LoadedZone> before = std::exchange(inputs_.snapshot, std::move(zones));
  if (auto done = compile_and_publish(inputs_); !done.ok()) {
    inputs_.snapshot = std::move(before);
    return done;
  }
  inputs_.snapshot_serial = snapshot.serial;
  logger_.info("snapshot {}: {} zones taken", snapshot.serial, inputs_.snapshot.size());
  return {};
}

void ZoneKeeper::tell_changes(OnChange on_change) {
  const std::lock_guard lock(mutex_);
  on_change_ = std::move(on_change);
  const auto transfers = transfers_.current();
  if (!on_change_ || transfers == nullptr) return;
  TransferKeeper::Versions all;
  for (const auto& [key, history] : transfers->zones) all.push_back(history->current());
  tell(all);
}

std::shared_ptr<const dns::CompiledZones> ZoneKeeper::zones() const {
  const std::lock_guard lock(mutex_);
  return compiled_;
}

ZoneKeeper::Answered ZoneKeeper::now() const {
  const std::lock_guard lock(mutex_);
  return {serving_.current(), documents_of(*answered_)};
}

KeeperReport ZoneKeeper::report() const {
  const std::lock_guard lock(mutex_);
  KeeperReport out;
  const std::vector<LoadedZone>& documents = *editions_.back().documents;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    // Compiled in the order in which they were given.
    const auto& info = compiled_->zones()[i];
    ZoneReport zone;
    zone.zone = format(info.origin);
    zone.serial = info.serial;
    zone.names = info.names;
    zone.classes = info.classes->classes().size();
    zone.networks = info.classes->runs();
    zone.source = documents[i].source;
    zone.warnings = documents[i].zone->warnings;
    out.zones.push_back(std::move(zone));
  }
  out.problems = inputs_.directory.problems();
  for (std::string& problem : inputs_.health.problems()) out.problems.push_back(std::move(problem));
  for (const std::string* problem :
       {&directory_problem_, &geography_problem_, &compile_problem_, &transfers_.problem()}) {
    if (!problem->empty()) out.problems.push_back(*problem);
  }
  out.geoip = inputs_.geography.files;
  out.snapshot_serial = inputs_.snapshot_serial;
  out.memory = compiled_->memory();
  out.last_compile_s = last_compile_s_;
  out.compiles = compiles_;
  return out;
}

}  // namespace timepool::dnsd
