#include "ntp/service_pools.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// Look-ups in vain until a server that never gave time makes room, where DNS does not say why.
constexpr unsigned kVainToDrop = 2;

// Of a server that the record names. RFC 8915 7.1, LC2: the certificate is for the target, the port
// is the record's.
SourceConfig server_config(const SourceConfig& pool, SourceId id, const ServiceTarget& target) {
  SourceConfig out = pool;
  out.kind = SourceKind::kServer;
  out.name = target.target;
  out.pool = id;
  out.max_addresses = 1;
  out.nts.lookup = ServerLookup::kAddresses;
  out.nts.port = target.port;
  out.nts.certificate_name.clear();
  return out;
}

// Of the pool's own name, where there are no records.
SourceConfig host_config(const SourceConfig& pool, SourceId id) {
  SourceConfig out = pool;
  out.pool = id;
  out.nts.lookup = ServerLookup::kAddresses;
  return out;
}

bool keeps_its_place(TargetDrop cause) {
  return cause == TargetDrop::kSilent || cause == TargetDrop::kUseless;
}

using Child = ServicePools::Child;
using Pool = ServicePools::Pool;

// One look at one pool.
class Care {
 public:
  Care(Population& population, Pool& pool, MonoTime now, std::size_t survivors,
       RandomStream& random, Outbox& out)
      : population_(population),
        pool_(pool),
        now_(now),
        survivors_(survivors),
        random_(random),
        out_(out) {}

  // When the next is wanted at the latest.
  MonoTime run();

 private:
  Source& source() const;
  Member* member_of(SourceId source) const;
  bool has_proved(SourceId source) const;
  TargetDrop fault_of(const Child& child) const;
  TargetDrop fault_without_keys(const Source& source) const;
  void forget_removed();
  void follow_ports();
  void begin_anew(Child& child, const ServiceTarget& target);
  void drop_faulty();
  void want_successor(SourceId of, TargetDrop cause);
  void settle_successors();
  void trim();
  void fill();
  bool take(SourceId instead, TargetDrop cause);
  void take_host();
  void drop(SourceId source, TargetDrop cause);
  bool is_source(std::string_view name) const;

  Population& population_;
  Pool& pool_;
  MonoTime now_;
  std::size_t survivors_;
  RandomStream& random_;
  Outbox& out_;
  MonoTime due_ = MonoTime::max();
};

Source& Care::source() const {
  Source* found = population_.sources().find(pool_.id);
  CHECK(found != nullptr);
  return *found;
}

Member* Care::member_of(SourceId source) const {
  for (Member& member : population_.members()) {
    if (member.source == source && member.beside == 0) return &member;
  }
  return nullptr;
}

bool Care::has_proved(SourceId source) const {
  return std::any_of(
      population_.members().begin(), population_.members().end(),
      [source](const Member& member) { return member.source == source && member.proved; });
}

// Why a server is no good; kNone while it is, or nobody knows.
TargetDrop Care::fault_of(const Child& child) const {
  const Source* source = population_.sources().find(child.source);
  CHECK(source != nullptr);  // forget_removed()
  const Member* member = member_of(child.source);
  // LC5.
  const unsigned patience = member != nullptr ? kGoneToDrop : 1;
  if (source->gone() >= patience) {
    return member != nullptr ? TargetDrop::kNameGone : TargetDrop::kNoAddress;
  }
  if (member != nullptr) {
    if (member->association->denied()) return TargetDrop::kDenied;
    const auto since = member->liveness.silent_since();
    if (since && now_ - *since >= kTargetPatience && population_.is_dead(*member, now_)) {
      return TargetDrop::kSilent;
    }
    return population_.is_useless(*member) ? TargetDrop::kUseless : TargetDrop::kNone;
  }
  if (!source->config().poll.online || population_.outage()) return TargetDrop::kNone;
  if (population_.establishments().new_of(child.source) > 0) return TargetDrop::kNone;
  return population_.fill_waits(now_) ? TargetDrop::kNone : fault_without_keys(*source);
}

// Of one without keys, of which none are under way: the Population has done what it may.
TargetDrop Care::fault_without_keys(const Source& source) const {
  if (!source.resolved_at() && source.keyless() == 0) {
    return source.lookups_in_vain() >= kVainToDrop ? TargetDrop::kNoAddress : TargetDrop::kNone;
  }
  if (source.keyless() > 0) return TargetDrop::kNoKeys;
  const Establishments& keys = population_.establishments();
  for (const AddressRecord& it : source.addresses().records()) {
    if (!it.listed || it.state != AddressRecord::State::kUnused) continue;
    // RFC 8915 4.2 lets it wait, else it is taken.
    const bool waits = keys.allowed(Population::key_server(source, it.address)) > now_;
    return waits ? TargetDrop::kNoKeys : TargetDrop::kSameAddress;
  }
  return TargetDrop::kNoKeys;
}

MonoTime Care::run() {
  if (population_.sources().find(pool_.id) == nullptr) return MonoTime::max();
  forget_removed();
  follow_ports();
  drop_faulty();
  settle_successors();
  trim();
  fill();
  return due_;
}

// Somebody else removed the source.
void Care::forget_removed() {
  std::erase_if(pool_.children, [this](const Child& child) {
    if (population_.sources().find(child.source) != nullptr) return false;
    if (!child.target.empty()) pool_.book.drop(child.target, now_, TargetDrop::kSurplus);
    return true;
  });
}

// LC2: keys are asked for at the port that the record has now. A server that gives time needs none.
void Care::follow_ports() {
  for (const TargetRecord& record : pool_.book.records()) {
    const auto child =
        std::find_if(pool_.children.begin(), pool_.children.end(),
                     [&record](const Child& it) { return it.target == record.target.target; });
    if (child == pool_.children.end() || !record.listed) continue;
    const Source* source = population_.sources().find(child->source);
    CHECK(source != nullptr);  // forget_removed()
    const Member* member = member_of(child->source);
    const bool gives_time = member != nullptr && !member->liveness.silent_since();
    if (source->config().nts.port != record.target.port && !gives_time) {
      begin_anew(*child, record.target);
    }
  }
}

// The same server as another source.
void Care::begin_anew(Child& child, const ServiceTarget& target) {
  const SourceConfig config = server_config(source().config(), pool_.id, target);
  static_cast<void>(population_.remove(child.source, now_));
  const auto added = population_.add(config, now_);
  if (!added.ok()) return;  // forget_removed()
  for (Child& other : pool_.children) {
    if (other.instead == child.source) other.instead = *added;
  }
  child.source = *added;
  child.undated = !pool_.answer.dates_checked;
}

void Care::drop_faulty() {
  const std::vector<Child> children = pool_.children;
  for (const Child& child : children) {
    // The members of the pool's own name are the Population's.
    if (child.target.empty()) continue;
    const TargetDrop fault = fault_of(child);
    if (fault == TargetDrop::kNone) {
      const Member* member = member_of(child.source);
      const auto since = member == nullptr ? std::nullopt : member->liveness.silent_since();
      if (since && now_ - *since < kTargetPatience) due_ = std::min(due_, *since + kTargetPatience);
    } else if (keeps_its_place(fault) && child.instead == kNoSource) {
      want_successor(child.source, fault);
    } else {
      drop(child.source, fault);
    }
  }
}

// Without one that may come it stays: it may be right after all.
void Care::want_successor(SourceId of, TargetDrop cause) {
  const bool has = std::any_of(pool_.children.begin(), pool_.children.end(),
                               [of](const Child& it) { return it.instead == of; });
  if (has) return;
  if (cause == TargetDrop::kUseless && !population_.may_replace_bad(now_, survivors_)) {
    const Duration rest = population_.replacements_rest(now_);
    if (rest > Duration()) due_ = std::min(due_, now_ + rest);
    return;
  }
  if (take(of, cause)) {
    if (cause == TargetDrop::kUseless) population_.note_replacement(now_);
  } else {
    source().want_resolve(now_);
  }
}

// Who takes a place, and who is given up: the other came back.
void Care::settle_successors() {
  const std::vector<Child> children = pool_.children;
  for (const Child& child : children) {
    if (child.instead == kNoSource) continue;
    const auto old = std::find_if(pool_.children.begin(), pool_.children.end(),
                                  [&](const Child& it) { return it.source == child.instead; });
    if (old == pool_.children.end()) {
      for (Child& it : pool_.children) {
        if (it.source == child.source) it.instead = kNoSource;
      }
    } else if (has_proved(child.source)) {
      drop(child.instead, child.cause);
      for (Child& it : pool_.children) {
        if (it.source == child.source) it.instead = kNoSource;
      }
    } else if (fault_of(*old) == TargetDrop::kNone) {
      drop(child.source, TargetDrop::kSurplus);
    }
  }
}

// More than are wanted: those go first that have not proved themselves. Once servers of the records
// give time, the pool's own name is not needed.
void Care::trim() {
  const auto any = [&](bool host) {
    return std::any_of(pool_.children.begin(), pool_.children.end(), [&](const Child& it) {
      return it.target.empty() == host && (host || has_proved(it.source));
    });
  };
  if (any(true) && any(false)) {
    const auto host = std::find_if(pool_.children.begin(), pool_.children.end(),
                                   [](const Child& it) { return it.target.empty(); });
    drop(host->source, TargetDrop::kSurplus);
  }
  while (true) {
    std::size_t count = 0;
    const Child* worst = nullptr;
    for (const Child& child : pool_.children) {
      if (child.instead != kNoSource || child.target.empty()) continue;
      ++count;
      if (worst == nullptr || !has_proved(child.source) || has_proved(worst->source)) {
        worst = &child;
      }
    }
    if (count <= source().wanted()) return;
    drop(worst->source, TargetDrop::kSurplus);
  }
}

void Care::fill() {
  const auto servers = [&] {
    return static_cast<std::size_t>(std::count_if(
        pool_.children.begin(), pool_.children.end(),
        [](const Child& it) { return it.instead == kNoSource && !it.target.empty(); }));
  };
  if (pool_.judgement.verdict == ServiceVerdict::kHost) {
    if (pool_.children.empty()) take_host();
    return source().have_enough();
  }
  while (servers() < source().wanted()) {
    if (take(kNoSource, TargetDrop::kNone)) continue;
    return source().want_resolve(now_);
  }
  source().have_enough();
}

bool Care::take(SourceId instead, TargetDrop cause) {
  // Nothing is begun by an answer that is not believed.
  if (pool_.judgement.verdict != ServiceVerdict::kUse) return false;
  const bool desperate = std::none_of(pool_.children.begin(), pool_.children.end(),
                                      [this](const Child& it) { return has_proved(it.source); });
  const auto known = [this](const ServiceTarget& it) {
    return population_.has_session(it.target, it.port);
  };
  while (const auto target = pool_.book.next(now_, desperate, random_, known)) {
    if (is_source(target->target)) {
      pool_.book.drop(target->target, now_, TargetDrop::kOtherSource);
      out_.note({pool_.id, target->target, TargetDrop::kOtherSource});
      continue;
    }
    const SourceConfig config = source().config();
    const auto added = population_.add(server_config(config, pool_.id, *target), now_);
    if (!added.ok()) return false;
    if (!desperate) population_.sources().find(*added)->come_late();
    pool_.book.use(target->target);
    pool_.children.push_back({*added, target->target, instead, cause, !pool_.answer.dates_checked});
    out_.note({pool_.id, target->target, TargetDrop::kNone});
    return true;
  }
  return false;
}

void Care::take_host() {
  const SourceConfig config = source().config();
  const auto added = population_.add(host_config(config, pool_.id), now_);
  if (added.ok()) pool_.children.push_back({*added, "", kNoSource, TargetDrop::kNone, false});
}

void Care::drop(SourceId source, TargetDrop cause) {
  const auto found = std::find_if(pool_.children.begin(), pool_.children.end(),
                                  [source](const Child& it) { return it.source == source; });
  CHECK(found != pool_.children.end());
  const std::string target = found->target;
  pool_.children.erase(found);
  static_cast<void>(population_.remove(source, now_));
  if (target.empty()) return;
  pool_.book.drop(target, now_, cause);
  out_.note({pool_.id, target, cause});
}

bool Care::is_source(std::string_view name) const {
  const SourceTable& all = population_.sources();
  return std::any_of(all.begin(), all.end(), [&](const Source& it) {
    return it.config().name == name && it.config().pool != pool_.id;
  });
}

}  // namespace

ServicePools::Pool& ServicePools::pool_of(SourceId id) {
  const auto found =
      std::find_if(pools_.begin(), pools_.end(), [id](const Pool& it) { return it.id == id; });
  if (found != pools_.end()) return *found;
  pools_.emplace_back();
  pools_.back().id = id;
  return pools_.back();
}

// LC6: what was proved once stays so while look-ups fail. By an answer that proves nothing no
// server is taken; those in use stay, but for what was believed for want of a clock.
void ServicePools::handle_answer(Population& population, SourceId id, const ServiceAnswer& answer,
                                 MonoTime now) {
  Source* source = population.sources().find(id);
  if (source == nullptr || !source->finds_services()) return;
  Pool& pool = pool_of(id);
  const SourceConfig& config = source->config();
  ServiceJudgement judgement = judge(answer, config.nts, config.name);
  const ServiceVerdict verdict = judgement.verdict;
  pool.verdict = verdict;
  if (verdict != ServiceVerdict::kFailed) pool.judgement = std::move(judgement);
  pool.answer = answer;
  pool.answer.targets.clear();
  pool.answered = now;
  const bool refused = verdict == ServiceVerdict::kBogus || verdict == ServiceVerdict::kInsecure ||
                       verdict == ServiceVerdict::kAlias;
  if (answer.dates_checked && refused) drop_undated(population, pool, now);
  if (answer.dates_checked && verdict == ServiceVerdict::kUse) {
    for (Child& child : pool.children) child.undated = false;
  }
  if (verdict == ServiceVerdict::kUse) pool.book.update(pool.judgement.usable(), now);
  const bool found = verdict == ServiceVerdict::kUse || verdict == ServiceVerdict::kHost;
  source->handle_services(now, found);
  due_ = now;
}

void ServicePools::drop_undated(Population& population, Pool& pool, MonoTime now) {
  for (std::size_t i = pool.children.size(); i-- > 0;) {
    const Child child = pool.children[i];
    if (!child.undated) continue;
    static_cast<void>(population.remove(child.source, now));
    pool.book.drop(child.target, now, TargetDrop::kUntrusted);
    if (notes_.size() < kMaxTargetNotes) {
      notes_.push_back({pool.id, child.target, TargetDrop::kUntrusted});
    }
    pool.children.erase(pool.children.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void ServicePools::handle_dates_known(Population& population, MonoTime now) {
  for (const Pool& pool : pools_) {
    Source* source = population.sources().find(pool.id);
    if (source == nullptr || !pool.answered || pool.answer.dates_checked) continue;
    source->want_resolve(now);
  }
}

void ServicePools::handle_change(Population& population, SourceId id, MonoTime now) {
  const Source* source = population.sources().find(id);
  if (source == nullptr || !source->finds_services()) return;
  const SourceConfig config = source->config();
  for (const Child& child : pool_of(id).children) {
    const Source* of = population.sources().find(child.source);
    if (of == nullptr) continue;
    const ServiceTarget target{child.target, of->config().nts.port, 0, 0};
    static_cast<void>(population.change(
        child.source,
        child.target.empty() ? host_config(config, id) : server_config(config, id, target), now));
  }
  due_ = now;
}

void ServicePools::forget(Population& population, SourceId id, MonoTime now) {
  const auto found =
      std::find_if(pools_.begin(), pools_.end(), [id](const Pool& it) { return it.id == id; });
  if (found == pools_.end()) return;
  for (const Child& child : found->children) {
    static_cast<void>(population.remove(child.source, now));
  }
  pools_.erase(found);
}

void ServicePools::tend(Population& population, MonoTime now, std::size_t survivors,
                        RandomStream& random, Outbox& out) {
  due_ = MonoTime::max();
  for (TargetNote& note : std::exchange(notes_, {})) out.note(std::move(note));
  for (Pool& pool : pools_) {
    due_ = std::min(due_, Care(population, pool, now, survivors, random, out).run());
  }
}

std::vector<ServiceReport> ServicePools::reports(const Population& population, MonoTime now) const {
  std::vector<ServiceReport> out;
  for (const Source& source : population.sources()) {
    if (!source.finds_services()) continue;
    ServiceReport report;
    report.pool = source.id();
    report.name = source.config().name;
    report.service = service_name(report.name);
    for (const Pool& pool : pools_) {
      if (pool.id != source.id() || !pool.answered) continue;
      report.answered = true;
      report.age = now - *pool.answered;
      report.verdict = pool.verdict;
      report.trust = pool.answer.trust;
      report.dates_checked = pool.answer.dates_checked;
      report.why = pool.answer.why;
      for (const JudgedTarget& it : pool.judgement.targets) {
        if (it.fault != TargetFault::kNone) report.refused.push_back(it);
      }
      const auto records = pool.book.records();
      report.targets.assign(records.begin(), records.end());
    }
    out.push_back(std::move(report));
  }
  return out;
}

}  // namespace timepool::ntp
