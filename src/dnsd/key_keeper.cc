#include "dnsd/key_keeper.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <set>
#include <thread>
#include <utility>

#include "crypto/digest.h"
#include "sys/clock.h"
#include "sys/signal_flag.h"
#include "wire/dns/rdata.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

// As settings name it.
std::string without_dot(const std::string& zone) {
  return zone.size() > 1 ? zone.substr(0, zone.size() - 1) : zone;
}

std::string wire_of(const wire::dns::DnsName& zone) {
  const Bytes wire = zone.wire();
  return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

Error invalid(std::string why) {
  return Error{ErrorCode::kInvalid, "keys", std::move(why)};
}

std::string text_of(const json::object& request, const char* key) {
  const json::value* value = request.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

Result<std::uint16_t> tag_of(const json::value& value) {
  if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > 0xffff) {
    return fail(invalid("a key's tag is a number from 0 to 65535"));
  }
  return static_cast<std::uint16_t>(value.get_int64());
}

json::value time_of(const ZoneKeyring& ring, const std::optional<dnssec::PlanTime>& time) {
  if (!time) return nullptr;
  return json::string(format_utc(ring.wall(*time), 0));
}

json::object span_report(const ZoneKeyring& ring, const dnssec::KeySpan& span) {
  json::object out;
  out["from"] = time_of(ring, span.from);
  out["until"] = time_of(ring, span.until);
  return out;
}

json::object key_report(const ZoneKeyring& ring, const dnssec::PlannedKey& key) {
  json::object out;
  out["tag"] = key.tag;
  out["role"] = name_of(key.role);
  out["algorithm"] = name_of(key.algorithm);
  out["state"] = name_of(ring.plan()->state_of(key, ring.time()));
  out["wanted"] = key.wanted;
  out["leaving"] = key.leave;
  out["created"] = time_of(ring, key.created);
  out["published"] = span_report(ring, key.published);
  out["signing"] = span_report(ring, key.signing);
  if (!dnssec::is_entry_point(key.role)) return out;
  out["ds_offered"] = span_report(ring, key.offered);
  out["ds_seen"] = span_report(ring, key.at_parent);
  return out;
}

std::string ds_text(const ZoneKeyring& ring, const std::vector<std::byte>& data) {
  ByteReader reader{Bytes(data)};
  const auto rdata = wire::dns::parse_rdata(reader, wire::dns::RrType::kDs, data.size());
  CHECK(rdata.ok());
  return format(ring.zone()) + " IN DS " + format_rdata(*rdata);
}

}  // namespace

json::object keyring_report(const ZoneKeyring& ring) {
  json::object out;
  out["zone"] = format(ring.zone());
  out["signed"] = ring.keys() != nullptr;
  out["rolls"] = ring.config().roll;
  out["problem"] = ring.problem();
  out["waits_for_parent"] = ring.waits_for_parent();
  out["next_event"] = time_of(ring, ring.next_deadline());
  json::array keys;
  if (ring.plan()) {
    for (const dnssec::PlannedKey& key : ring.plan()->record().keys) {
      keys.push_back(key_report(ring, key));
    }
  }
  out["keys"] = std::move(keys);
  return out;
}

KeyKeeper::KeyKeeper(const config::DnsdDnssecConfig& config, sys::Logger& logger, Changed changed)
    : logger_(logger),
      changed_(std::move(changed)),
      config_(config),
      directory_(std::make_unique<crypto::DnsKeyDirectory>(config.directory)),
      boot_(sys::boot_id()),
      keys_(std::make_shared<dnssec::KeysByZone>()) {}

Result<std::unique_ptr<KeyKeeper>> KeyKeeper::create(const config::DnsdDnssecConfig& config,
                                                     sys::Logger& logger, Changed changed) {
  std::unique_ptr<KeyKeeper> out(new KeyKeeper(config, logger, std::move(changed)));
  TRY(out->reconfigure(config));
  return out;
}

Result<void> KeyKeeper::reconfigure(const config::DnsdDnssecConfig& config) {
  if (!config.zones.empty()) {
    auto ready = crypto::DnsKeyDirectory(config.directory).prepare();
    if (!ready.ok()) {
      ready.error().operation = "[dnssec] directory: " + ready.error().operation;
      return ready;
    }
  }
  const std::lock_guard lock(mutex_);
  if (config.directory != config_.directory) {
    rings_.clear();
    lock_.reset();
    directory_ = std::make_unique<crypto::DnsKeyDirectory>(config.directory);
  }
  config_ = config;
  std::erase_if(rings_, [&](const auto& it) {
    const auto* zone = config::dnssec_zone(config_, without_dot(it.first));
    if (zone != nullptr) it.second->reconfigure(*zone);
    return zone == nullptr;
  });
  return {};
}

KeyKeeper::Keys KeyKeeper::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

// The clocks, and whether the directory is ours; the lock goes with the process that holds it.
ZoneKeyring::Now KeyKeeper::now() {
  if (!lock_ && !left_ && !config_.directory.empty()) {
    const std::string path = directory_->path() + "/lock";
    sys::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) lock_ = std::move(file);
  }
  const sys::ClockSample sample = sys::sample_clocks();
  dnssec::ClockMark mark;
  mark.boot = boot_;
  mark.since_boot = Duration::nanoseconds(sample.mono.ns()) + sample.suspended;
  return {mark, sample.mono, sample.unix_time, static_cast<bool>(lock_)};
}

// Null: the zone is not to be signed.
ZoneKeyring* KeyKeeper::ring_for(const wire::dns::DnsName& zone) {
  const std::string name = format(wire::dns::lowered(zone));
  const auto* config = config::dnssec_zone(config_, without_dot(name));
  if (config == nullptr) return nullptr;
  auto& ring = rings_[name];
  if (ring == nullptr) ring = std::make_unique<ZoneKeyring>(zone, *config, *directory_, logger_);
  return ring.get();
}

void KeyKeeper::make_first_keys(std::vector<ZoneKeyring*> rings, const ZoneKeyring::Now& now) {
  if (rings.size() == 1) rings.front()->look(now);
  if (rings.size() <= 1) return;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> makers;
  for (std::size_t i = 0; i < std::min(rings.size(), kMakers); ++i) {
    makers.emplace_back([&] {
      sys::block_all_signals();
      for (std::size_t at = next++; at < rings.size(); at = next++) rings[at]->look(now);
    });
  }
  for (std::thread& maker : makers) maker.join();
}

void KeyKeeper::expect(const std::vector<wire::dns::DnsName>& zones) {
  const std::lock_guard lock(mutex_);
  expected_ = zones;
  std::set<ZoneKeyring*> fresh;
  for (const wire::dns::DnsName& zone : zones) {
    ZoneKeyring* ring = ring_for(zone);
    if (ring != nullptr && ring->keys() == nullptr) fresh.insert(ring);
  }
  make_first_keys({fresh.begin(), fresh.end()}, now());
  publish();
}

void KeyKeeper::serve(const std::vector<wire::dns::DnsName>& zones) {
  const std::lock_guard lock(mutex_);
  served_ = zones;
  expected_.clear();
}

void KeyKeeper::forget_others() {
  std::set<std::string> names;
  const std::lock_guard lock(mutex_);
  for (const auto* zones : {&served_, &expected_}) {
    for (const wire::dns::DnsName& zone : *zones) names.insert(format(wire::dns::lowered(zone)));
  }
  std::erase_if(rings_, [&](const auto& it) { return !names.contains(it.first); });
  std::erase_if(asked_, [&](const auto& it) { return !names.contains(it.first); });
}

void KeyKeeper::look() {
  std::vector<wire::dns::DnsName> zones;
  {
    const std::lock_guard lock(mutex_);
    zones = served_;
  }
  // Zone by zone, so that commands wait for one at the most.
  for (const wire::dns::DnsName& zone : zones) {
    const std::lock_guard lock(mutex_);
    if (ZoneKeyring* ring = ring_for(zone)) ring->look(now());
  }
  forget_others();
  ask_parents();
  const std::lock_guard lock(mutex_);
  publish();
}

void KeyKeeper::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  lock_.reset();
}

void KeyKeeper::resume() {
  const std::lock_guard lock(mutex_);
  left_ = false;
}

// One zone each time: the one that was asked for longest ago.
void KeyKeeper::ask_parents() {
  std::unique_lock lock(mutex_);
  if (!config_.resolver) return;
  const Endpoint resolver = *config_.resolver;
  const MonoTime start = sys::mono_now();
  ZoneKeyring* next = nullptr;
  std::string name;
  for (const auto& [zone, ring] : rings_) {
    if (!ring->waits_for_parent()) continue;
    const auto asked = asked_.find(zone);
    const Duration interval = std::min(kParentInterval, ring->config().ds_ttl);
    if (asked != asked_.end() && start < asked->second + interval) continue;
    if (next != nullptr && (asked == asked_.end() ? false : asked->second >= asked_[name]))
      continue;
    next = ring.get();
    name = zone;
  }
  if (next == nullptr) return;
  asked_[name] = start;
  const wire::dns::DnsName zone = next->zone();
  lock.unlock();
  const auto found = look_up_ds(resolver, zone, kParentTimeout);
  lock.lock();
  std::string problem = found.ok() ? "" : found.error().text();
  if (!problem.empty() && problem != resolver_problem_) logger_.warning("{}", problem);
  resolver_problem_ = std::move(problem);
  // It may have gone meanwhile.
  ZoneKeyring* ring = find(name);
  if (!found.ok() || ring == nullptr) return;
  const ZoneKeyring::Now clocks = this->now();
  if (ring->observe(*found, clocks).ok()) ring->look(clocks);
}

void KeyKeeper::publish() {
  auto next = std::make_shared<dnssec::KeysByZone>();
  for (const auto& [name, ring] : rings_) {
    if (!ring->unsigned_by_plan()) (*next)[wire_of(ring->zone())] = ring->keys();
  }
  if (*next == *keys_) return;
  keys_ = std::move(next);
  if (changed_) changed_(keys_);
}

ZoneKeyring* KeyKeeper::find(const std::string& zone) {
  const auto found = rings_.find(zone);
  return found == rings_.end() ? nullptr : found->second.get();
}

Result<ZoneKeyring*> KeyKeeper::ring_of(const json::object& request) {
  const std::string text = text_of(request, "zone");
  const auto name = wire::dns::DnsName::from_text(text);
  if (text.empty() || !name.ok()) return fail(invalid("which zone? \"" + text + "\" is none"));
  ZoneKeyring* ring = find(format(wire::dns::lowered(*name)));
  if (ring == nullptr) {
    return fail(Error{ErrorCode::kNotFound, "keys of " + format(*name),
                      "the zone is not served, or [[dnssec.zone]] does not name it"});
  }
  return ring;
}

Result<json::object> KeyKeeper::list(const json::object& request) {
  const std::lock_guard lock(mutex_);
  json::array zones;
  if (request.contains("zone")) {
    zones.push_back(keyring_report(*TRY(ring_of(request))));
  } else {
    for (const auto& [name, ring] : rings_) zones.push_back(keyring_report(*ring));
  }
  json::object out;
  out["zones"] = std::move(zones);
  out["resolver_problem"] = resolver_problem_;
  return out;
}

Result<json::object> KeyKeeper::ds(const json::object& request) {
  const std::lock_guard lock(mutex_);
  const ZoneKeyring& ring = *TRY(ring_of(request));
  const json::value* early = request.if_contains("early");
  json::array records;
  for (const auto& data : ring.ds_set(early != nullptr && early->is_bool() && early->get_bool())) {
    records.emplace_back(ds_text(ring, data));
  }
  json::object out;
  out["zone"] = format(ring.zone());
  out["ds"] = std::move(records);
  out["waits_for_parent"] = ring.waits_for_parent();
  return out;
}

// The look that a command asks for, and the report of what came of it.
Result<json::object> KeyKeeper::after_command(ZoneKeyring& ring, const ZoneKeyring::Now& now) {
  ring.look(now);
  publish();
  if (!ring.problem().empty()) {
    return fail(Error{ErrorCode::kUnavailable, "keys of " + format(ring.zone()), ring.problem()});
  }
  return keyring_report(ring);
}

Result<json::object> KeyKeeper::retire_keys(const json::object& request, bool tag_needed) {
  const std::lock_guard lock(mutex_);
  ZoneKeyring& ring = *TRY(ring_of(request));
  std::optional<std::uint16_t> tag;
  std::optional<dnssec::KeyRole> role;
  if (const json::value* value = request.if_contains("tag")) tag = TRY(tag_of(*value));
  if (tag_needed && !tag) return fail(invalid("which key? Its tag is needed"));
  if (const std::string name = text_of(request, "role"); !name.empty()) {
    for (const auto it : {dnssec::KeyRole::kKsk, dnssec::KeyRole::kZsk, dnssec::KeyRole::kCsk}) {
      if (name == name_of(it)) role = it;
    }
    if (!role) return fail(invalid("a role is ksk, zsk or csk, not \"" + name + "\""));
  }
  TRY(ring.ask_to_leave(tag, role));
  return after_command(ring, now());
}

Result<json::object> KeyKeeper::roll(const json::object& request) {
  return retire_keys(request, false);
}

Result<json::object> KeyKeeper::retire(const json::object& request) {
  return retire_keys(request, true);
}

Result<json::object> KeyKeeper::ds_seen(const json::object& request) {
  const std::lock_guard lock(mutex_);
  ZoneKeyring& ring = *TRY(ring_of(request));
  const json::value* list = request.if_contains("tags");
  if (list == nullptr || !list->is_array()) {
    return fail(invalid("tags: those of all DS records that the parent has now"));
  }
  std::vector<std::uint16_t> tags;
  for (const json::value& value : list->get_array()) tags.push_back(TRY(tag_of(value)));
  const ZoneKeyring::Now at = now();
  TRY(ring.observe(tags, at));
  return after_command(ring, at);
}

Result<json::object> KeyKeeper::generate(const json::object& request) {
  const std::string text = text_of(request, "zone");
  const auto name = wire::dns::DnsName::from_text(text);
  if (text.empty() || !name.ok()) return fail(invalid("which zone? \"" + text + "\" is none"));
  const std::lock_guard lock(mutex_);
  if (config::dnssec_zone(config_, without_dot(format(wire::dns::lowered(*name)))) == nullptr) {
    return fail(Error{ErrorCode::kNotFound, "keys of " + text, "[[dnssec.zone]] does not name it"});
  }
  const ZoneKeyring::Now at = now();
  return after_command(*ring_for(*name), at);
}

void KeyKeeper::write_metrics(net::MetricSink& sink) const {
  const std::lock_guard lock(mutex_);
  std::map<std::pair<std::string, std::string>, double> states;
  for (const auto& [name, ring] : rings_) {
    const net::MetricLabels zone{{"zone", name}};
    sink.gauge("timepool_dnsd_keys_wrong", "1 while something is wrong with a zone's keys.",
               ring->problem().empty() ? 0 : 1, zone);
    sink.gauge("timepool_dnsd_keys_wait_for_parent", "1 while a roll waits for the parent's DS.",
               ring->waits_for_parent() ? 1 : 0, zone);
    if (const auto next = ring->next_deadline()) {
      sink.gauge("timepool_dnsd_keys_next_event_seconds",
                 "How long until the next step in the life of a zone's keys.",
                 static_cast<double>(*next - ring->time()), zone);
    }
    if (!ring->plan()) continue;
    for (const dnssec::PlannedKey& key : ring->plan()->record().keys) {
      states[{name, std::string(name_of(ring->plan()->state_of(key, ring->time())))}] += 1;
    }
  }
  for (const auto& [labels, count] : states) {
    sink.gauge("timepool_dnsd_keys", "Keys of each zone by their state.", count,
               {{"zone", labels.first}, {"state", labels.second}});
  }
}

}  // namespace timepool::dnsd
