#include "ntpd/acme_worker.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "sys/signal_flag.h"

namespace timepool::ntpd {

AcmeWorker::AcmeWorker(sys::Logger& logger, certificates::Presenter& presenter,
                       std::function<void()> changed)
    : logger_(logger), presenter_(presenter), changed_(std::move(changed)) {}

AcmeWorker::~AcmeWorker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    cut_off();
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// With the mutex.
void AcmeWorker::cut_off() {
  if (keeper_) keeper_->cancel();
  if (checker_) checker_->cancel();
}

void AcmeWorker::configure(certificates::KeeperSettings settings) {
  {
    const std::lock_guard lock(mutex_);
    settings_ = std::move(settings);
    ++generation_;
    cut_off();
  }
  wake_.notify_all();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void AcmeWorker::pause() {
  {
    const std::lock_guard lock(mutex_);
    settings_.reset();
    ++generation_;
    cut_off();
  }
  wake_.notify_all();
}

void AcmeWorker::set_clock_plausible(bool plausible) {
  {
    const std::lock_guard lock(mutex_);
    if (plausible_ == plausible) return;
    plausible_ = plausible;
    woken_ = true;
  }
  wake_.notify_all();
}

bool AcmeWorker::request() {
  {
    const std::lock_guard lock(mutex_);
    if (!keeper_) return false;
    keeper_->request();
    woken_ = true;
  }
  wake_.notify_all();
  return true;
}

bool AcmeWorker::check(certificates::SelfCheckSettings settings) {
  {
    const std::lock_guard lock(mutex_);
    // One that is about to be opened will do: nothing is asked of an authority.
    const bool begins = settings_ && fault_.empty();
    if ((!keeper_ && !begins) || check_.running) return false;
    wanted_check_ = std::move(settings);
    check_.running = true;
    woken_ = true;
  }
  wake_.notify_all();
  return true;
}

Result<void> AcmeWorker::change_account(AccountChange change, const std::string& directory) {
  const auto refuse = [](std::string why) {
    return fail(Error{ErrorCode::kUnavailable, "account", std::move(why)});
  };
  {
    const std::lock_guard lock(mutex_);
    if (!keeper_) return refuse(fault_.empty() ? "not begun yet" : fault_);
    if (!plausible_) return refuse("nothing is asked for before the clock is known to be right");
    if (account_.running) return refuse("a change of an account is under way");
    account_.running = true;
    account_.change = change;
    account_.directory = directory;
    account_.fault.clear();
    account_wanted_ = true;
    woken_ = true;
  }
  wake_.notify_all();
  return {};
}

AcmeWorker::Report AcmeWorker::report() const {
  const std::lock_guard lock(mutex_);
  Report out;
  out.fault = fault_;
  out.clock_plausible = plausible_;
  out.check = check_;
  out.account = account_;
  out.obtained = obtained_;
  out.failed = failed_;
  if (!keeper_) return out;
  out.keeper = keeper_->report();
  out.obtained += out.keeper->obtained;
  out.failed += out.keeper->failed;
  return out;
}

void AcmeWorker::run() {
  sys::block_all_signals();
  ::pthread_setname_np(::pthread_self(), "acme");
  Lock lock(mutex_);
  while (!ending_) {
    woken_ = false;
    if (taken_ != generation_) take_settings(lock);
    if (wanted_check_ && !ending_) run_check(lock);
    if (account_wanted_ && !ending_) run_account_change(lock);
    Duration wait = certificates::Keeper::kLongestWait;
    if (keeper_) {
      wait = step(lock);
    } else if (!fault_.empty()) {
      wait = kOpenAgain;
    }
    const bool sooner = wake_.wait_for(lock, std::chrono::nanoseconds(wait.ns()), [this] {
      return ending_ || woken_ || taken_ != generation_;
    });
    // What could not be opened is tried again.
    if (!sooner && !keeper_ && settings_) taken_ = generation_ - 1;
  }
  retire();
}

void AcmeWorker::retire() {
  if (!keeper_) return;
  const certificates::KeeperReport last = keeper_->report();
  obtained_ += last.obtained;
  failed_ += last.failed;
  keeper_.reset();
}

void AcmeWorker::take_settings(Lock& lock) {
  retire();
  taken_ = generation_;
  fault_.clear();
  if (!settings_) return;
  auto next = std::make_shared<certificates::Keeper>(logger_, *settings_, presenter_);
  lock.unlock();
  const Result<void> opened = next->open();
  lock.lock();
  // Others came meanwhile, or none are to be followed any more.
  if (taken_ != generation_) return;
  if (opened.ok()) {
    keeper_ = std::move(next);
    return;
  }
  fault_ = opened.error().text();
  logger_.error("[nts.acme]: {}", fault_);
}

void AcmeWorker::run_check(Lock& lock) {
  const certificates::SelfCheckSettings settings = std::move(*wanted_check_);
  wanted_check_.reset();
  const auto checker = std::make_shared<certificates::SelfChecker>();
  checker_ = checker;
  lock.unlock();
  auto seen = checker->check(settings, presenter_);
  lock.lock();
  checker_.reset();
  check_.running = false;
  ++check_.done;
  check_.fault = seen.ok() ? "" : seen.error().text();
  check_.seen = seen.ok() ? std::move(seen).value() : std::vector<certificates::SelfCheck>();
}

void AcmeWorker::run_account_change(Lock& lock) {
  account_wanted_ = false;
  const std::shared_ptr<certificates::Keeper> keeper = keeper_;
  const AccountReport wish = account_;
  lock.unlock();
  Result<void> done = fail(Error{ErrorCode::kUnavailable, "account", "there is no keeper of it"});
  if (keeper) {
    done = wish.change == AccountChange::kNewKey ? keeper->change_account_key(wish.directory)
                                                 : keeper->deactivate_account(wish.directory);
  }
  lock.lock();
  account_.running = false;
  ++account_.done;
  account_.fault = done.ok() ? "" : done.error().text();
}

// One step, and how long to wait after it.
Duration AcmeWorker::step(Lock& lock) {
  const std::shared_ptr<certificates::Keeper> keeper = keeper_;
  const bool plausible = plausible_;
  lock.unlock();
  const Duration wait = keeper->step(plausible);
  if (keeper->take_changed()) changed_();
  lock.lock();
  return wait;
}

}  // namespace timepool::ntpd
