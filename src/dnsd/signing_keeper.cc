#include "dnsd/signing_keeper.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "sys/clock.h"
#include "sys/random.h"
#include "sys/signal_flag.h"

namespace timepool::dnsd {
namespace {

// So many signatures between two looks at the inputs: some 10 ms.
constexpr std::size_t kSlice = 256;
// A new version for the workers at most this often: each costs a table of all sets. A report too,
// which looks at all sets.
constexpr Duration kLeastBetween = Duration::seconds(1);
// The nicest: answering goes first.
constexpr int kNice = 19;

SigningRound::Clocks clocks() {
  return {sys::mono_now(), static_cast<std::uint32_t>(sys::unix_now().seconds())};
}

}  // namespace

dns::SigningOptions signing_options(const config::DnsdDnssecConfig& config) {
  const auto seconds = [](Duration duration) {
    return static_cast<std::uint32_t>(duration.ns() / 1'000'000'000);
  };
  dns::SigningOptions out;
  out.variants = config.variants;
  out.redraw_signatures = config.redraw_signatures;
  out.times = {seconds(config.inception), seconds(config.pool_signatures),
               seconds(config.static_signatures), config.renew_percent};
  return out;
}

SigningKeeper::SigningKeeper(dns::SigningOptions options, sys::Logger& logger, Publish publish)
    : logger_(logger),
      publish_(std::move(publish)),
      keys_(std::make_shared<dnssec::KeysByZone>()),
      options_(options),
      round_(sys::random_u64()) {}

SigningKeeper::~SigningKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool SigningKeeper::has_keys_for(const dns::CompiledZones& zones) const {
  return std::any_of(zones.zones().begin(), zones.zones().end(), [this](const auto& zone) {
    const Bytes wire = zone.origin.wire();
    return keys_->contains({reinterpret_cast<const char*>(wire.data()), wire.size()});
  });
}

bool SigningKeeper::take_zones(std::shared_ptr<const dns::CompiledZones> zones) {
  const std::lock_guard lock(mutex_);
  const bool signs = has_keys_for(*zones);
  zones_ = std::move(zones);
  ++generation_;
  changed_.notify_all();
  return signs;
}

void SigningKeeper::take_keys(std::shared_ptr<const dnssec::KeysByZone> keys) {
  const std::lock_guard lock(mutex_);
  keys_ = keys == nullptr ? std::make_shared<dnssec::KeysByZone>() : std::move(keys);
  ++generation_;
  changed_.notify_all();
}

void SigningKeeper::take_options(const dns::SigningOptions& options) {
  const std::lock_guard lock(mutex_);
  if (options == options_) return;
  options_ = options;
  ++generation_;
  changed_.notify_all();
}

SigningReport SigningKeeper::report() const {
  const std::lock_guard lock(mutex_);
  return report_;
}

void SigningKeeper::settle(Duration at_most) {
  const MonoTime start = sys::mono_now();
  do {
    static_cast<void>(turn());
  } while (first_pass_ && !round_.stuck() && sys::mono_now() - start < at_most);
}

void SigningKeeper::start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void SigningKeeper::run() {
  sys::block_all_signals();
  // Of this thread alone, which is what Linux makes of it. Where it is forbidden signing is only
  // less polite.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const std::uint64_t before = generation_;
    lock.unlock();
    const MonoTime next = turn();
    lock.lock();
    const Duration wait = next - sys::mono_now();
    if (wait <= Duration()) continue;
    changed_.wait_for(lock, std::chrono::nanoseconds(wait.ns()),
                      [&] { return stop_ || generation_ != before; });
  }
}

MonoTime SigningKeeper::turn() {
  const SigningRound::Clocks now = clocks();
  std::unique_lock lock(mutex_);
  if (generation_ != turned_to_ && zones_ != nullptr) {
    turned_to_ = generation_;
    const auto zones = zones_;
    const auto keys = keys_;
    const auto options = options_;
    lock.unlock();
    round_.turn_to(zones, *keys, options, now);
    turned_at_ = now.mono;
    unpublished_ = first_pass_ = true;
    lock.lock();
  }
  lock.unlock();
  unpublished_ = round_.step(now, kSlice) || unpublished_;
  // Zones that can't be signed take the place of none that are; nothing is given of them then.
  const bool ready = round_.missing() == 0 || (round_.stuck() && !ever_signed_);
  if (unpublished_ && ready && (first_pass_ || now.mono - published_at_ >= kLeastBetween)) {
    publish(now);
    reported_at_ = MonoTime();
  }
  const auto problems = round_.problems();
  for (const std::string& problem : problems) {
    if (std::find(told_.begin(), told_.end(), problem) == told_.end()) {
      logger_.error("signing: {}", problem);
    }
  }
  told_ = problems;
  std::optional<SigningRound::Totals> totals;
  if (now.mono - reported_at_ >= kLeastBetween) {
    reported_at_ = now.mono;
    totals = round_.totals(now);
  }
  lock.lock();
  if (totals) put_totals(*totals);
  report_.missing = round_.missing();
  report_.problems = problems;
  lock.unlock();
  const MonoTime next = round_.next(now);
  return unpublished_ && ready ? std::min(next, published_at_ + kLeastBetween) : next;
}

void SigningKeeper::put_totals(const SigningRound::Totals& totals) {
  report_.sets = totals.sets;
  report_.drawn = totals.drawn;
  report_.signatures = totals.signatures;
  report_.failures = totals.failures;
  report_.behind_s = std::max(0.0, totals.behind.to_seconds());
  report_.oldest = totals.oldest;
}

void SigningKeeper::publish(const SigningRound::Clocks& now) {
  std::shared_ptr<const dns::SignedZones> made;
  if (round_.signs_anything() || round_.withholds_anything()) made = round_.result();
  {
    const std::lock_guard lock(mutex_);
    // Zones that came meanwhile may have been published without signatures already.
    if (generation_ != turned_to_ && (made == nullptr || !has_keys_for(*zones_))) return;
    ++report_.published;
    report_.memory = made == nullptr ? 0 : made->memory();
    if (first_pass_) report_.last_first_pass_s = (sys::mono_now() - turned_at_).to_seconds();
  }
  if (first_pass_ && round_.signs_anything()) {
    logger_.info("signing: first version in {:.2f} s", (sys::mono_now() - turned_at_).to_seconds());
  }
  ever_signed_ = ever_signed_ || round_.signs_anything();
  first_pass_ = unpublished_ = false;
  published_at_ = now.mono;
  publish_(round_.zones(), std::move(made));
}

}  // namespace timepool::dnsd
