#include "dnsd/signing_round.h"

#include <algorithm>
#include <utility>

namespace timepool::dnsd {
namespace {

using dns::SignedSet;
using dns::SigningTask;

constexpr Duration kLook = Duration::seconds(1);

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
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i] == nullptr) continue;
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
  queue_made_ = now.mono - kLook;
  retry_at_ = now.mono;
  tried_ = 0;
  stuck_ = false;
  std::size_t wanted = 0;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    const auto at = before.find(tasks[i].content);
    if (at == before.end()) {
      missing_.push_back(i);
      wanted += plan_->is_drawn(tasks[i]) ? plan_->variants_of(tasks[i]) : 1;
      continue;
    }
    sets_[i] = at->second.first;
    due_[i] = sets_[i]->weights == tasks[i].weights ? at->second.second : now.mono;
  }
  first_variants_ = wanted > kQuickAbove ? kQuickVariants : options.variants;
}

std::size_t SigningRound::cost(const SignedSet& set) const {
  return std::size_t{set.count} * set.signatures;
}

MonoTime SigningRound::due_after(const SigningTask& task, const SignedSet& set, const Clocks& now) {
  // What is not drawn is made anew only when its signatures age.
  if (!plan_->is_drawn(task)) return MonoTime::max();
  if (set.count < plan_->variants_of(task)) return now.mono;
  const Duration ttl =
      std::max(Duration::seconds(static_cast<std::int64_t>(set.ttl)), kLeastRedraw);
  // Not all at once.
  const double share = 0.5 + 0.5 * prng_.unit();
  return now.mono +
         Duration::nanoseconds(static_cast<std::int64_t>(share * static_cast<double>(ttl.ns())));
}

bool SigningRound::make(std::uint32_t task, const Clocks& now, std::uint32_t variants) {
  const SigningTask& what = plan_->tasks()[task];
  auto made = plan_->sign(what, variants, now.unix_time, prng_);
  if (made == nullptr) {
    ++failures_;
    return false;
  }
  signatures_ += cost(*made);
  due_[task] = due_after(what, *made, now);
  sets_[task] = std::move(made);
  return true;
}

void SigningRound::find_due(const Clocks& now) {
  if (now.mono - queue_made_ < kLook) return;
  queue_made_ = now.mono;
  queue_.clear();
  const auto tasks = plan_->tasks();
  std::vector<std::uint32_t> aging;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (sets_[i] == nullptr) continue;
    if (!plan_->still_good(tasks[i], *sets_[i], now.unix_time)) {
      aging.push_back(i);
    } else if (due_[i] <= now.mono) {
      queue_.push_back(i);
    }
  }
  std::sort(queue_.begin(), queue_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return due_[b] < due_[a]; });
  queue_.insert(queue_.end(), aging.begin(), aging.end());
}

bool SigningRound::step(const Clocks& now, std::size_t signatures) {
  if (plan_ == nullptr) return false;
  const std::uint64_t until = signatures_ + signatures;
  bool made = false;
  if (now.mono < retry_at_) return false;
  while (tried_ < missing_.size() && signatures_ < until) {
    const std::size_t at = missing_.size() - 1 - tried_;
    if (make(missing_[at], now, first_variants_)) {
      missing_.erase(missing_.begin() + static_cast<std::ptrdiff_t>(at));
      made = true;
    } else {
      ++tried_;
    }
  }
  if (!missing_.empty() && tried_ == missing_.size()) {
    tried_ = 0;
    retry_at_ = now.mono + kRetry;
    stuck_ = true;
    return made;
  }
  stuck_ = false;
  if (!missing_.empty()) return made;
  find_due(now);
  while (!queue_.empty() && signatures_ < until) {
    const std::uint32_t task = queue_.back();
    queue_.pop_back();
    if (make(task, now, options_.variants)) {
      made = true;
    } else {
      failed_ = true;
    }
  }
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
  if (!missing_.empty() || !queue_.empty()) return now.mono;
  return queue_made_ + kLook;
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
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i] == nullptr) continue;
    if (plan_->is_drawn(plan_->tasks()[i])) {
      ++out.drawn;
      out.behind = std::max(out.behind, now.mono - due_[i]);
    }
    if (out.oldest == 0 || static_cast<std::int32_t>(sets_[i]->signed_at - out.oldest) < 0) {
      out.oldest = sets_[i]->signed_at;
    }
  }
  return out;
}

}  // namespace timepool::dnsd
