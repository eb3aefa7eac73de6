#include "dnsd/zone_keyring.h"

#include <algorithm>
#include <utility>

#include "crypto/digest.h"

namespace timepool::dnsd {
namespace {

using dnssec::KeyPlan;
using dnssec::KeyRecord;
using dnssec::PlannedKey;
using dnssec::PlanTime;
using dnssec::ZoneKey;
using dnssec::ZoneKeys;

std::uint32_t seconds(Duration duration) {
  return static_cast<std::uint32_t>(duration.ns() / 1'000'000'000);
}

bool same_but_signers(const ZoneKeys& a, const ZoneKeys& b) {
  const auto same = [](const ZoneKey& x, const ZoneKey& y) {
    return x.flags == y.flags && x.algorithm == y.algorithm && x.public_key == y.public_key &&
           x.published == y.published && x.signs_keys == y.signs_keys &&
           x.signs_data == y.signs_data;
  };
  return a.dnskey_ttl == b.dnskey_ttl && a.cds == b.cds && a.cdnskey == b.cdnskey &&
         std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(), same);
}

const PlannedKey* key_with(const KeyRecord& record, std::uint16_t tag) {
  for (const PlannedKey& key : record.keys) {
    if (key.tag == tag) return &key;
  }
  return nullptr;
}

std::uint16_t tag_of(const crypto::DnsKey& key, dnssec::KeyRole role) {
  PlannedKey planned;
  planned.role = role;
  planned.algorithm = key.algorithm();
  planned.public_key = key.public_key();
  return dnssec::key_tag(dnssec::zone_key(planned));
}

}  // namespace

dnssec::KeyPolicy key_policy(const config::DnsdDnssecZoneConfig& config) {
  dnssec::KeyPolicy out;
  out.mode =
      config.keys == config::DnssecKeys::kCsk ? dnssec::KeyMode::kCsk : dnssec::KeyMode::kKskZsk;
  out.algorithm = config.algorithm == config::DnssecAlgorithm::kEd25519
                      ? dnssec::Algorithm::kEd25519
                      : dnssec::Algorithm::kEcdsaP256Sha256;
  out.times.dnskey_ttl = seconds(config.dnskey_ttl);
  out.times.max_zone_ttl = seconds(config.max_zone_ttl);
  out.times.ds_ttl = seconds(config.ds_ttl);
  out.times.propagation = seconds(config.propagation);
  out.times.parent_propagation = seconds(config.parent_propagation);
  out.entry_lifetime = seconds(config.ksk_lifetime);
  out.zsk_lifetime = seconds(config.zsk_lifetime);
  out.unsign = config.unsign;
  return out;
}

ZoneKeyring::ZoneKeyring(wire::dns::DnsName zone, const config::DnsdDnssecZoneConfig& config,
                         const crypto::DnsKeyDirectory& directory, sys::Logger& logger)
    : zone_(wire::dns::lowered(zone)),
      name_(format(zone_)),
      config_(config),
      directory_(directory),
      logger_(logger) {}

void ZoneKeyring::reconfigure(const config::DnsdDnssecZoneConfig& config) {
  if (config == config_) return;
  // Who rolls must know what is on disk, and how old it is.
  if (config.roll != config_.roll) clock_.reset();
  config_ = config;
  stamp_.clear();
  due_ = true;
}

bool ZoneKeyring::look(const Now& now) {
  if (retry_ && now.mono < *retry_) return false;
  retry_.reset();
  wall_ = now.wall;
  if (!config_.roll || !now.may_roll) {
    clock_.reset();
    const bool changed = follow(now);
    check_files(now);
    return changed;
  }
  if (!clock_ && !begin(now)) {
    retry_ = now.mono + kRetry;
    return false;
  }
  const bool changed = roll(now);
  check_files(now);
  return changed;
}

// What is on disk, or the first step of a zone that has no keys yet.
bool ZoneKeyring::begin(const Now& now) {
  auto state = directory_.read_state(name_);
  if (!state.ok()) {
    note(state.error());
    return false;
  }
  const dnssec::KeyPolicy policy = key_policy(config_);
  if (!*state) {
    const PlanTime time = now.wall.seconds();
    clock_.emplace(time, now.mark, now.mark);
    plan_.emplace(policy, KeyRecord{}, time);
  } else {
    const PlanTime time = (*state)->record.now;
    clock_.emplace(time, (*state)->mark, now.mark);
    plan_.emplace(policy, (*state)->record, time);
  }
  saved_ = std::move(*state);
  due_ = true;
  return true;
}

bool ZoneKeyring::roll(const Now& now) {
  time_ = clock_->advance(now.mark);
  const bool save = !saved_ || time_ >= saved_->record.now + kSaveInterval;
  if (!due_ && !save && (!deadline_ || time_ < *deadline_)) return false;
  KeyPlan next = *plan_;
  next.set_policy(key_policy(config_), time_);
  std::vector<PlannedKey> made;
  auto done = make_keys(next, made);
  if (done.ok()) {
    next.step(time_);
    done = commit(std::move(next), now);
  }
  if (!done.ok()) {
    for (const PlannedKey& key : made) {
      directory_.remove_key(name_, key);
      loaded_.erase(key.tag);
    }
    note(done.error());
    retry_ = now.mono + kRetry;
    return false;
  }
  if (!file_problem_) solved();
  due_ = !plan_->wishes(time_).empty();
  deadline_ = plan_->next_deadline(time_);
  const auto keys = signing_keys(plan_->record());
  if (!keys.ok()) return false;
  const bool same = (keys_ == nullptr) == (*keys == nullptr) &&
                    (keys_ == nullptr || same_but_signers(*keys_, **keys));
  if (!same) keys_ = *keys;
  return !same;
}

Result<void> ZoneKeyring::make_keys(KeyPlan& plan, std::vector<PlannedKey>& made) {
  for (const dnssec::KeyWish& wish : plan.wishes(time_)) {
    const std::uint16_t tag = TRY(make_key(plan, wish));
    made.push_back(*key_with(plan.record(), tag));
  }
  return {};
}

Result<std::uint16_t> ZoneKeyring::make_key(KeyPlan& plan, const dnssec::KeyWish& wish) {
  // A tag that is taken comes once in some thousand keys.
  constexpr int kMaxTries = 16;
  for (int i = 0; i < kMaxTries; ++i) {
    const auto key = TRY(crypto::DnsKey::generate(wish.algorithm));
    const std::uint16_t tag = tag_of(*key, wish.role);
    if (plan.has_tag(tag)) continue;
    auto saved = directory_.save_key(name_, tag, *key);
    // Left behind by a crash before the state named it; nobody has ever seen it.
    if (!saved.ok() && saved.error().code == ErrorCode::kExists) continue;
    TRY(saved);
    plan.add(wish.role, wish.algorithm, tag, key->public_key(), time_);
    loaded_[tag] = key;
    return tag;
  }
  return fail(Error{ErrorCode::kExists, "make a key of " + name_, "every tag tried is taken"});
}

// Whether what the file says leads to `next` too, as it does after most restarts: a write waits for
// the disk, and of zones there may be hundreds.
bool ZoneKeyring::is_on_disk(const KeyPlan& next, const Now& now) const {
  if (!saved_ || time_ >= saved_->record.now + kSaveInterval) return false;
  const bool same_boot =
      saved_->mark.boot == now.mark.boot && now.mark.boot != decltype(now.mark.boot){};
  KeyRecord record = next.record();
  record.now = saved_->record.now;
  return same_boot && record == saved_->record;
}

// Writes down what `next` says, and makes it what is served. Nothing changes when that fails.
Result<void> ZoneKeyring::commit(KeyPlan next, const Now& now) {
  TRY(signing_keys(next.record()));
  if (!is_on_disk(next, now)) {
    dnssec::KeyStateFile state{name_, next.record(), now.mark};
    saved_.reset();
    TRY(directory_.write_state(state));
    saved_ = std::move(state);
  }
  const KeyRecord before = plan_->record();
  plan_ = std::move(next);
  tell_steps(before, plan_->record());
  for (const PlannedKey& key : before.keys) {
    if (key_with(plan_->record(), key.tag) != nullptr) continue;
    directory_.remove_key(name_, key);
    loaded_.erase(key.tag);
  }
  return {};
}

// What is served of `record`, with the private keys; null when the zone is unsigned.
Result<std::shared_ptr<const ZoneKeys>> ZoneKeyring::signing_keys(const KeyRecord& record) {
  ZoneKeys out = dnssec::zone_keys(record, zone_, crypto::sha256);
  for (ZoneKey& key : out.keys) {
    if (!key.signs_keys && !key.signs_data) continue;
    auto& loaded = loaded_[key.tag];
    if (loaded == nullptr || loaded->public_key() != key.public_key) {
      loaded = TRY(directory_.load_key(name_, *key_with(record, key.tag)));
    }
    key.signer = loaded;
  }
  if (out.keys.empty()) return std::shared_ptr<const ZoneKeys>();
  return std::shared_ptr<const ZoneKeys>(std::make_shared<ZoneKeys>(std::move(out)));
}

// Where another server rolls: the directory's state, whenever it is another.
bool ZoneKeyring::follow(const Now& now) {
  const std::string stamp = directory_.state_stamp(name_);
  if (stamp.empty() && plan_) {
    note("state of keys " + directory_.state_path(name_) + ": gone; the keys in use stay");
    return false;
  }
  if (stamp.empty()) {
    note("state of keys " + directory_.state_path(name_) +
         ": not there yet; the zone cannot be signed until the server that rolls has brought it");
    return false;
  }
  if (stamp == stamp_) return false;
  auto state = directory_.read_state(name_);
  Result<std::shared_ptr<const ZoneKeys>> keys = std::shared_ptr<const ZoneKeys>();
  if (state.ok() && *state) keys = signing_keys((*state)->record);
  if (!state.ok() || !*state || !keys.ok()) {
    note(!state.ok() ? state.error() : !keys.ok() ? keys.error() : Error{});
    retry_ = now.mono + kRetry;
    return false;
  }
  stamp_ = stamp;
  time_ = (*state)->record.now;
  if (plan_) tell_steps(plan_->record(), (*state)->record);
  plan_.emplace(key_policy(config_), (*state)->record, time_);
  solved();
  const bool same = keys_ != nullptr && *keys != nullptr && same_but_signers(*keys_, **keys);
  if (!same) keys_ = *keys;
  return !same;
}

// A key whose file has gone is used on, but would be missing after a restart.
void ZoneKeyring::check_files(const Now& now) {
  if (!plan_ || keys_ == nullptr || now.mono < files_checked_ + kFileInterval) return;
  files_checked_ = now.mono;
  for (const PlannedKey& key : plan_->record().keys) {
    if (!key.published.on() && !key.signing.on()) continue;
    const auto loaded = directory_.load_key(name_, key);
    if (loaded.ok()) continue;
    file_problem_ = true;
    note(loaded.error().text() + "; the key in memory is used until this server ends");
    return;
  }
  if (std::exchange(file_problem_, false)) solved();
}

bool ZoneKeyring::unsigned_by_plan() const {
  if (!plan_ || !plan_->record().unsign) return false;
  const auto& keys = plan_->record().keys;
  return std::none_of(keys.begin(), keys.end(),
                      [](const PlannedKey& key) { return key.published.on() || key.signing.on(); });
}

void ZoneKeyring::tell_steps(const KeyRecord& before, const KeyRecord& after) {
  for (const PlannedKey& key : after.keys) {
    const PlannedKey* old = key_with(before, key.tag);
    if (old != nullptr && *old == key) continue;
    const auto state = KeyPlan(key_policy(config_), after, time_).state_of(key, time_);
    logger_.info("{}: key {} ({}, {}): {}{}", name_, key.tag, name_of(key.role),
                 name_of(key.algorithm), name_of(state),
                 key.offered.on() && !key.at_parent.on() ? ", its DS waits for the parent" : "");
  }
}

void ZoneKeyring::note(const Error& error) {
  note(error.text() +
       (keys_ == nullptr ? "; the zone cannot be signed" : "; the keys in use stay"));
}

void ZoneKeyring::note(std::string problem) {
  if (problem != problem_) logger_.error("{}: {}", name_, problem);
  problem_ = std::move(problem);
}

void ZoneKeyring::solved() {
  if (!problem_.empty()) logger_.info("{}: keys are right again", name_);
  problem_.clear();
}

Result<void> ZoneKeyring::may_change() const {
  if (!config_.roll) {
    return fail(Error{ErrorCode::kDenied, "keys of " + name_,
                      "another server rolls them (roll = false): ask there"});
  }
  if (!clock_) return fail(Error{ErrorCode::kUnavailable, "keys of " + name_, problem_});
  return {};
}

Result<void> ZoneKeyring::ask_to_leave(std::optional<std::uint16_t> tag,
                                       std::optional<dnssec::KeyRole> role) {
  TRY(may_change());
  bool any = false;
  for (const PlannedKey& key : std::vector(plan_->record().keys)) {
    if ((tag && key.tag != *tag) || (role && key.role != *role) || !key.wanted) continue;
    if (plan_->ask_to_leave(key.tag)) any = true;
  }
  if (!any) {
    return fail(Error{ErrorCode::kNotFound, "keys of " + name_, "no such key is in use"});
  }
  due_ = true;
  retry_.reset();
  return {};
}

Result<void> ZoneKeyring::observe(const std::vector<std::uint16_t>& tags, const Now& now) {
  TRY(may_change());
  for (const std::uint16_t tag : tags) {
    const PlannedKey* key = key_with(plan_->record(), tag);
    if (key == nullptr || !dnssec::is_entry_point(key->role)) {
      return fail(Error{ErrorCode::kNotFound, "keys of " + name_,
                        "no key with a DS has the tag " + std::to_string(tag)});
    }
  }
  time_ = clock_->advance(now.mark);
  if (plan_->observe_parent(tags, time_)) due_ = true;
  retry_.reset();
  return {};
}

Result<void> ZoneKeyring::observe(const DsSet& set, const Now& now) {
  TRY(may_change());
  constexpr std::size_t kHead = 4;  // tag, algorithm, type of digest
  constexpr std::byte kSha256{2};
  std::vector<std::uint16_t> tags;
  for (const PlannedKey& key : plan_->record().keys) {
    if (!dnssec::is_entry_point(key.role)) continue;
    const auto own = dnssec::ds_data(zone_, dnssec::zone_key(key), crypto::sha256);
    const bool there = std::any_of(set.begin(), set.end(), [&](const auto& ds) {
      // Of other digests the tag and algorithm must do.
      if (ds.size() <= kHead || !std::equal(own.begin(), own.begin() + 3, ds.begin())) return false;
      return ds[3] != kSha256 || ds == own;
    });
    if (there) tags.push_back(key.tag);
  }
  return observe(tags, now);
}

bool ZoneKeyring::waits_for_parent() const {
  return clock_ && plan_->waits_for_parent(time_);
}

std::vector<std::vector<std::byte>> ZoneKeyring::ds_set(bool early) const {
  std::vector<std::vector<std::byte>> out;
  if (!plan_) return out;
  for (const PlannedKey& key : plan_->record().keys) {
    const bool to_come = early && dnssec::is_entry_point(key.role) && key.wanted && !key.leave;
    if (!key.offered.on() && !to_come) continue;
    out.push_back(dnssec::ds_data(zone_, dnssec::zone_key(key), crypto::sha256));
  }
  return out;
}

std::optional<PlanTime> ZoneKeyring::next_deadline() const {
  return clock_ ? plan_->next_deadline(time_) : std::nullopt;
}

UnixTime ZoneKeyring::wall(PlanTime time) const {
  return wall_ + Duration::seconds(time - time_);
}

}  // namespace timepool::dnsd
