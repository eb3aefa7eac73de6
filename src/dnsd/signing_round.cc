#include "dnsd/signing_round.h"

#include <algorithm>
#include <utility>

namespace timepool::dnsd {
namespace {

using dns::SignedSet;
using dns::SigningTask;

constexpr Duration kLook = Duration::seconds(1);
// Between two looks at a spent allowance.
constexpr Duration kRefill = Duration::milliseconds(50);

bool can_sign(const dnssec::ZoneKeys& keys) {
  const auto with = [&keys](auto member) {
    return std::any_of(keys.keys.begin(), keys.keys.end(), [&](const dnssec::ZoneKey& key) {
      return key.*member && key.signer != nullptr;
    });
  };
  return with(&dnssec::ZoneKey::signs_data) && with(&dnssec::ZoneKey::signs_keys);
}

std::string text_of(const std::string& wire) {
  return format(wire::dns::NameView::from_valid_wire(std::as_bytes(std::span(wire))));
}

}  // namespace

void SigningRound::adopt_keys(const dnssec::KeysByZone& keys) {
  dnssec::KeysByZone next;
  key_problems_.clear();
  for (const auto& [zone, given] : keys) {
    if (given != nullptr && can_sign(*given)) {
      next[zone] = given;
      continue;
    }
    const auto before = keys_.find(zone);
    const bool had = before != keys_.end() && before->second != nullptr;
    const bool bare = !had && bare_.contains(zone);
    if (!bare) next[zone] = had ? before->second : nullptr;
    key_problems_.push_back(text_of(zone) +
                            (given == nullptr ? ": it has no keys; " : ": its keys cannot sign; ") +
                            (had    ? "those it had before are used on"
                             : bare ? "it is served without signatures, as it was"
                                    : "queries for it fail until it can be signed"));
  }
  keys_ = std::move(next);
}

void SigningRound::note_bare() {
  bare_.clear();
  for (const auto& zone : plan_->zones()->zones()) {
    const Bytes wire = zone.origin.wire();
    std::string name(reinterpret_cast<const char*>(wire.data()), wire.size());
    if (!keys_.contains(name)) bare_.insert(std::move(name));
  }
}

void SigningRound::turn_to(std::shared_ptr<const dns::CompiledZones> zones,
                           const dnssec::KeysByZone& keys, const dns::SigningOptions& options,
                           const Clocks& now) {
  adopt_keys(keys);
  options_ = options;
  std::unordered_map<std::uint64_t, std::pair<std::shared_ptr<const SignedSet>, MonoTime>> before;
  std::unordered_map<std::uint64_t, std::uint32_t> counts;
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i] == nullptr) continue;
    counts[plan_->tasks()[i].place] = sets_[i]->count;
    const std::uint64_t content = sets_[i]->content;
    before[content] = {std::move(sets_[i]), due_[i]};
  }
  plan_ = std::make_unique<dns::SigningPlan>(std::move(zones), keys_, options);
  note_bare();
  const auto tasks = plan_->tasks();
  sets_.assign(tasks.size(), nullptr);
  due_.assign(tasks.size(), now.mono);
  missing_.clear();
  queue_.clear();
  needed_ = 0;
  queue_made_ = now.mono - kLook;
  retry_at_ = now.mono;
  tried_ = 0;
  stuck_ = false;
  std::size_t all = 0;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    all += plan_->variants_of(tasks[i]);
    const auto at = before.find(tasks[i].content);
    if (at == before.end()) {
      missing_.push_back(i);
      continue;
    }
    sets_[i] = at->second.first;
    due_[i] = at->second.second;
  }
  least_ = all > kFewAbove ? kFewVariants : options.variants;
  choose_first(counts);
}

// A set that takes another's place has as many variants as that had, so that a change of the zone
// takes nothing from names that are asked for; but not where that would keep the change waiting.
void SigningRound::choose_first(const std::unordered_map<std::uint64_t, std::uint32_t>& counts) {
  const auto tasks = plan_->tasks();
  std::size_t all = 0;
  first_.assign(missing_.size(), least_);
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    const SigningTask& task = tasks[missing_[i]];
    const auto at = counts.find(task.place);
    if (at != counts.end()) first_[i] = std::max(first_[i], at->second);
    all += std::min(first_[i], plan_->variants_of(task));
  }
  if (all > kFewAbove) first_.assign(missing_.size(), kFewVariants);
}

std::size_t SigningRound::cost(const SignedSet& set) const {
  return std::size_t{set.count - set.kept} * set.signatures;
}

MonoTime SigningRound::due_after(const SignedSet& set, const Clocks& now) {
  // What is not drawn is made anew only when its signatures age.
  if (!set.is_drawn()) return MonoTime::max();
  const Duration ttl =
      std::max(Duration::seconds(static_cast<std::int64_t>(set.ttl)), kLeastRedraw);
  // Not all at once.
  const double share = 0.5 + 0.5 * prng_.unit();
  return now.mono +
         Duration::nanoseconds(static_cast<std::int64_t>(share * static_cast<double>(ttl.ns())));
}

std::uint32_t SigningRound::wanted(std::uint32_t task) const {
  const std::uint32_t most = plan_->variants_of(plan_->tasks()[task]);
  // Twice: what was counted is seldom a whole TTL's.
  const std::uint32_t asked = sets_[task]->asked();
  return std::min(std::max(2 * asked, least_), most);
}

// Draws that nobody was given are as good as new ones. Those that were handed out more than once
// each, on average, are too few where there may be more.
bool SigningRound::is_due(std::uint32_t task, const Clocks& now) const {
  const SignedSet& set = *sets_[task];
  const std::uint32_t asked = set.asked();
  if (!set.is_drawn() || asked == 0) return false;
  return due_[task] <= now.mono ||
         (asked > set.count && set.count < plan_->variants_of(plan_->tasks()[task]));
}

bool SigningRound::make(std::uint32_t task, const Clocks& now, std::uint32_t variants,
                        Draws draws) {
  const SigningTask& what = plan_->tasks()[task];
  const SignedSet* const before = draws == Draws::kAdded ? sets_[task].get() : nullptr;
  auto made = plan_->sign(what, variants, now.unix_time, prng_, before);
  if (made == nullptr) {
    ++failures_;
    return false;
  }
  signatures_ += cost(*made);
  // Those that were kept grow no younger.
  if (made->kept == 0) due_[task] = due_after(*made, now);
  sets_[task] = std::move(made);
  return true;
}

void SigningRound::find_due(const Clocks& now) {
  if (now.mono - queue_made_ < kLook) return;
  queue_made_ = now.mono;
  queue_.clear();
  const auto tasks = plan_->tasks();
  std::vector<std::uint32_t> needed;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (sets_[i] == nullptr) continue;
    const SignedSet& set = *sets_[i];
    if (!plan_->still_good(tasks[i], set, now.unix_time) ||
        (set.is_drawn() && set.weights != tasks[i].weights)) {
      needed.push_back(i);
    } else if (is_due(i, now)) {
      queue_.push_back(i);
    }
  }
  // How often each draw was handed out says what drawing anew is worth.
  const auto use = [this](std::uint32_t task) { return sets_[task]->asked() / sets_[task]->count; };
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  order.reserve(queue_.size());
  for (const std::uint32_t task : queue_) order.emplace_back(use(task), task);
  std::sort(order.begin(), order.end(), [this](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : due_[b.second] < due_[a.second];
  });
  std::transform(order.begin(), order.end(), queue_.begin(),
                 [](const auto& it) { return it.second; });
  queue_.insert(queue_.end(), needed.begin(), needed.end());
  needed_ = needed.size();
}

void SigningRound::refill(const Clocks& now) {
  const auto second = static_cast<double>(options_.redraw_signatures);
  allowance_ = std::min(second, allowance_ + (now.mono - refilled_).to_seconds() * second);
  refilled_ = now.mono;
}

bool SigningRound::make_missing(const Clocks& now, std::uint64_t until) {
  bool made = false;
  while (tried_ < missing_.size() && signatures_ < until) {
    const std::size_t at = missing_.size() - 1 - tried_;
    if (make(missing_[at], now, first_[at], Draws::kAnew)) {
      missing_.erase(missing_.begin() + static_cast<std::ptrdiff_t>(at));
      first_.erase(first_.begin() + static_cast<std::ptrdiff_t>(at));
      made = true;
    } else {
      ++tried_;
    }
  }
  return made;
}

bool SigningRound::make_due(const Clocks& now, std::uint64_t until) {
  bool made = false;
  while (!queue_.empty() && signatures_ < until && (needed_ > 0 || allowance_ > 0)) {
    const std::uint32_t task = queue_.back();
    queue_.pop_back();
    const std::uint64_t before = signatures_;
    // Within their TTL draws are too few, not too old.
    const bool adds = needed_ == 0 && now.mono < due_[task];
    if (make(task, now, wanted(task), adds ? Draws::kAdded : Draws::kAnew)) {
      made = true;
    } else {
      failed_ = true;
    }
    if (needed_ > 0) {
      --needed_;
    } else {
      allowance_ -= static_cast<double>(signatures_ - before);
    }
  }
  return made;
}

bool SigningRound::step(const Clocks& now, std::size_t signatures) {
  if (plan_ == nullptr) return false;
  const std::uint64_t until = signatures_ + signatures;
  if (now.mono < retry_at_) return false;
  refill(now);
  bool made = make_missing(now, until);
  if (!missing_.empty() && tried_ == missing_.size()) {
    tried_ = 0;
    retry_at_ = now.mono + kRetry;
    stuck_ = true;
    return made;
  }
  stuck_ = false;
  if (!missing_.empty()) return made;
  find_due(now);
  made = make_due(now, until) || made;
  // What failed is served on, and tried again when all others had their turn.
  if (queue_.empty()) {
    now_failing_ = std::exchange(failed_, false);
    if (now_failing_) retry_at_ = now.mono + kRetry;
  }
  return made;
}

MonoTime SigningRound::next(const Clocks& now) const {
  if (plan_ == nullptr) return now.mono + kLook;
  if (now.mono < retry_at_) return retry_at_;
  if (!missing_.empty() || needed_ > 0 || (!queue_.empty() && allowance_ > 0)) return now.mono;
  return queue_.empty() ? queue_made_ + kLook : std::min(queue_made_ + kLook, now.mono + kRefill);
}

std::vector<std::string> SigningRound::problems() const {
  std::vector<std::string> out = key_problems_;
  if (plan_ != nullptr) {
    out.insert(out.end(), plan_->problems().begin(), plan_->problems().end());
  }
  if (stuck_) {
    out.push_back(std::to_string(missing_.size()) +
                  " record sets could not be signed: the library that signs fails");
  }
  if (now_failing_) {
    out.push_back("signatures could not be made anew; those there are are served on");
  }
  return out;
}

SigningRound::Totals SigningRound::totals(const Clocks& now) const {
  Totals out;
  out.signatures = signatures_;
  out.failures = failures_;
  out.sets = sets_.size();
  for (std::uint32_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i] == nullptr) continue;
    if (sets_[i]->is_drawn()) {
      ++out.drawn;
      if (is_due(i, now)) out.behind = std::max(out.behind, now.mono - due_[i]);
    }
    if (out.oldest == 0 || static_cast<std::int32_t>(sets_[i]->signed_at - out.oldest) < 0) {
      out.oldest = sets_[i]->signed_at;
    }
  }
  return out;
}

}  // namespace timepool::dnsd
