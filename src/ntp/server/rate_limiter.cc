#include "ntp/server/rate_limiter.h"

#include <limits>

namespace timepool::ntp {
namespace {

constexpr int kLastShift = kTickBits - 8;

bool is_exempt(const LimitSettings& settings, const IpAddress& address) {
  return settings.exempt != nullptr && settings.exempt->find(address) != 0;
}

void add_one(std::uint32_t& counter) {
  if (counter != std::numeric_limits<std::uint32_t>::max()) ++counter;
}

// Whether it keeps to the limit while it is answered, and asks at least twice as often when not.
bool hurries_when_dropped(const Client& client, const BucketRate& rate) {
  if (client.after_answer == kNoInterval || client.after_drop == kNoInterval) return false;
  const LogInterval allowed = log_interval(static_cast<std::uint32_t>(rate.interval >> kLastShift));
  return client.after_answer >= allowed && client.after_drop + 8 <= client.after_answer;
}

}  // namespace

RateLimiter::RateLimiter(std::size_t clients, const LimiterSeed& seed)
    : table_(clients),
      networks_(kNetworksPerClient * table_.clients()),
      key_(seed.hash),
      random_(seed.random) {
  // In 128 s, as long as one that came once is known, no more than half of the table.
  const auto places = static_cast<double>(table_.clients());
  push_rate_ = BucketRate::of(places / 256, places / 32);
}

// The steps of judge() are inline: each is taken once for a request.

// Of IPv4 the /24 and the whole address at once; of IPv6 the address, its networks as they are
// needed.
inline void RateLimiter::hash(Visit& visit) const {
  const AddressKey& address = visit.client.key;
  visit.v4 = address.high == 0 && address.low >> 32 == kMappedV4 >> 32;
  if (!visit.v4) {
    visit.hash = siphash13(key_, address.high, address.low);
    return;
  }
  const SiphashPair both = siphash13_pair(key_, key_of(Network::kV4Of24, address).high,
                                          static_cast<std::uint8_t>(address.low));
  visit.hash = both.word_and_octet;
  visit.v4_24_hash = both.word;
}

inline void RateLimiter::add_level(std::uint64_t hash, const BucketRate& rate, Visit& visit) {
  visit.levels[visit.level_count++] = {hash, &rate, nullptr};
  networks_.prefetch(hash);
}

inline void RateLimiter::choose_levels(const LimitSettings& settings, Visit& visit) {
  const auto rate_of = [&settings](Network network) -> const BucketRate& {
    return settings.networks[static_cast<std::size_t>(network)];
  };
  if (visit.v4) {
    const BucketRate& rate = rate_of(Network::kV4Of24);
    if (rate.limits()) add_level(visit.v4_24_hash, rate, visit);
    return;
  }
  for (const Network network : {Network::kV6Of64, Network::kV6Of56, Network::kV6Of48}) {
    const BucketRate& rate = rate_of(network);
    if (!rate.limits()) continue;
    const AddressKey key = key_of(network, visit.client.key);
    // The words in the other order than an address's.
    add_level(siphash13(key_, key.low, key.high), rate, visit);
  }
}

inline void RateLimiter::meet(const Asker& asker, Visit& visit) {
  visit.index = table_.find(visit.client.key, visit.hash);
  if (visit.index != ClientTable::kNone) {
    visit.client = table_.load(visit.index);
  } else {
    find_place(visit);
  }
  visit.client.version = asker.version;
  visit.client.mode = asker.mode;
}

inline void RateLimiter::find_place(Visit& visit) {
  visit.newcomer = true;
  const ClientTable::Place place = table_.place_for(visit.hash, visit.now);
  visit.index = place.index;
  visit.pushes_out = place.pushes_out;
  visit.crowded = place.index == ClientTable::kNone || place.pushes_out;
  if (visit.pushes_out && !has_token(pushes_, visit.now, push_rate_)) {
    visit.pushes_out = false;
    visit.index = ClientTable::kNone;
  }
}

inline RateLimiter::Refusal RateLimiter::look_for_tokens(const LimitSettings& settings,
                                                         Visit& visit) {
  Refusal out = Refusal::kNone;
  if (settings.address.limits() && !visit.newcomer &&
      !has_token(visit.client.moment, visit.now, settings.address)) {
    out = Refusal::kAddress;
  }
  for (std::size_t i = 0; i < visit.level_count; ++i) {
    Level& level = visit.levels[i];
    level.place = networks_.find(level.hash, visit.now);
    if (level.place == nullptr) {
      visit.crowded = true;
    } else if (!has_token(BucketTable::moment(*level.place), visit.now, *level.rate)) {
      out = Refusal::kOther;
    }
  }
  if (visit.crowded && settings.newcomers.limits() &&
      !has_token(newcomers_, visit.now, settings.newcomers)) {
    out = Refusal::kOther;
  }
  return out;
}

inline void RateLimiter::take_tokens(const LimitSettings& settings, Visit& visit) {
  if (settings.address.limits()) {
    // A newcomer's bucket is full.
    const std::uint64_t moment = visit.newcomer ? visit.now & kMomentMask : visit.client.moment;
    visit.client.moment = take_token(moment, visit.now, settings.address);
  }
  for (std::size_t i = 0; i < visit.level_count; ++i) {
    const Level& level = visit.levels[i];
    if (level.place == nullptr) continue;
    const std::uint64_t moment = BucketTable::moment(*level.place);
    BucketTable::set(*level.place, level.hash, take_token(moment, visit.now, *level.rate));
  }
  if (visit.crowded && settings.newcomers.limits()) {
    newcomers_ = take_token(newcomers_, visit.now, settings.newcomers);
  }
}

LimitVerdict RateLimiter::refuse(Refusal refusal, const LimitSettings& settings,
                                 const Visit& visit) {
  if (refusal == Refusal::kAddress && hurries_when_dropped(visit.client, settings.address)) {
    note(Event::kSuspended);
    return LimitVerdict::kPass;
  }
  if (one_of(settings.leak)) {
    note(Event::kLeaked);
    return LimitVerdict::kPass;
  }
  return one_of(settings.kiss) ? LimitVerdict::kRate : LimitVerdict::kDrop;
}

inline void RateLimiter::remember(bool dropped, Visit& visit) {
  if (visit.index == ClientTable::kNone) {
    note(Event::kUntracked);
    return;
  }
  if (visit.pushes_out) {
    note(Event::kPushedOut);
    pushes_ = take_token(pushes_, visit.now, push_rate_);
  }
  Client& client = visit.client;
  const auto last = static_cast<std::uint32_t>(visit.now >> kLastShift);
  if (!visit.newcomer) {
    const LogInterval waited = log_interval(last - client.last);
    client.interval = averaged(client.interval, waited);
    LogInterval& after = client.last_dropped ? client.after_drop : client.after_answer;
    after = averaged(after, waited);
  }
  client.last = last;
  client.last_dropped = dropped;
  add_one(client.requests);
  if (dropped) add_one(client.dropped);
  table_.store(visit.index, visit.hash, client, visit.now);
}

void RateLimiter::note(Event event) {
  // Written by one thread: a plain add.
  std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(event)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

LimitVerdict RateLimiter::judge(const Asker& asker, MonoTime now, const LimitSettings& settings) {
  Visit visit;
  // The requests of a batch came at one time.
  if (now != last_now_) {
    last_now_ = now;
    last_ticks_ = ticks_of(now);
  }
  visit.now = last_ticks_;
  visit.client.key = key_of(asker.address);
  hash(visit);
  table_.prefetch(visit.hash);
  const bool limited = settings.enabled && !is_exempt(settings, asker.address);
  if (limited) choose_levels(settings, visit);
  meet(asker, visit);
  LimitVerdict verdict = LimitVerdict::kPass;
  if (limited) {
    const Refusal refusal = look_for_tokens(settings, visit);
    if (refusal == Refusal::kNone) {
      take_tokens(settings, visit);
    } else {
      // Whom we turn away takes nobody's place.
      if (visit.pushes_out) {
        visit.pushes_out = false;
        visit.index = ClientTable::kNone;
      }
      verdict = refuse(refusal, settings, visit);
    }
  }
  remember(verdict != LimitVerdict::kPass, visit);
  return verdict;
}

std::string_view name_of(RateLimiter::Event event) {
  switch (event) {
    case RateLimiter::Event::kLeaked:
      return "leaked";
    case RateLimiter::Event::kSuspended:
      return "suspended";
    case RateLimiter::Event::kPushedOut:
      return "pushed_out";
    case RateLimiter::Event::kUntracked:
      break;
  }
  return "untracked";
}

}  // namespace timepool::ntp
