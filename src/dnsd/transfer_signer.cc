#include "dnsd/transfer_signer.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sys/clock.h"
#include "sys/signal_flag.h"

namespace timepool::dnsd {
namespace {

// The nicest: answering goes first.
constexpr int kNice = 19;
constexpr Duration kLongestWait = Duration::seconds(60);

}  // namespace

TransferSigner::TransferSigner(sys::Logger& logger, Deliver deliver)
    : logger_(logger), deliver_(std::move(deliver)) {}

TransferSigner::~TransferSigner() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TransferSigner::take(const std::string& zone, Job job) {
  const std::lock_guard lock(mutex_);
  waiting_[zone] = {std::move(job), sys::mono_now()};
  changed_.notify_all();
}

void TransferSigner::drop(const std::string& zone) {
  const std::lock_guard lock(mutex_);
  waiting_.erase(zone);
}

void TransferSigner::start() {
  if (thread_.joinable()) return;
  thread_ = std::thread([this] { run(); });
}

TransferSignerCounts TransferSigner::counts() const {
  const std::lock_guard lock(mutex_);
  TransferSignerCounts out = counts_;
  out.waiting = waiting_.size();
  return out;
}

void TransferSigner::run() {
  sys::block_all_signals();
  // Of this thread alone, which is what Linux makes of it. Where it is forbidden signing is only
  // less polite.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const Duration wait = turn(lock) - sys::mono_now();
    if (stop_ || wait <= Duration()) continue;
    changed_.wait_for(lock, std::chrono::nanoseconds(wait.ns()));
  }
}

MonoTime TransferSigner::turn(std::unique_lock<std::mutex>& lock) {
  const MonoTime now = sys::mono_now();
  const auto first =
      std::min_element(waiting_.begin(), waiting_.end(),
                       [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
  if (first == waiting_.end()) return now + kLongestWait;
  if (first->second.at > now) return std::min(first->second.at, now + kLongestWait);
  const std::string zone = first->first;
  const Job job = first->second.job;
  lock.unlock();
  const auto made =
      dns::sign_version(*job.data, *job.keys, job.times,
                        static_cast<std::uint32_t>(sys::unix_now().seconds()), job.before.get());
  if (made.ok()) {
    deliver_(zone, made->version);
  } else {
    logger_.error("{} is not signed for other servers: {}", format(job.data->origin),
                  describe(made.error()));
  }
  lock.lock();
  // Another one may have taken its place meanwhile.
  const auto still = waiting_.find(zone);
  const bool same = still != waiting_.end() && still->second.job.data == job.data;
  if (!made.ok()) {
    ++counts_.failures;
    if (same) still->second.at = now + kRetry;
    return now;
  }
  if (same) waiting_.erase(still);
  ++counts_.versions;
  counts_.made += made->made;
  counts_.kept += made->kept;
  return now;
}

}  // namespace timepool::dnsd
