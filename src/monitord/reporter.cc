#include "monitord/reporter.h"

#include <chrono>

#include "sys/clock.h"
#include "sys/random.h"
#include "sys/signal_flag.h"

namespace timepool::monitord {
namespace {

std::chrono::nanoseconds to_chrono(Duration span) {
  return std::chrono::nanoseconds(span.ns());
}

// Answers that another try can change: the token may be replaced, the manager may be starting,
// busy or broken. Any other 4xx says that this batch will never do.
bool may_pass_later(int status) {
  return status < 400 || status >= 500 || status == 401 || status == 403 || status == 404 ||
         status == 408 || status == 425 || status == 429;
}

}  // namespace

Reporter::Reporter(const config::MonitordConfig& config, Spool spool, sys::Logger& log)
    : config_(config),
      spool_(std::move(spool)),
      log_(log),
      manager_(config.manager),
      backoff_(config.manager.retry_min, config.manager.retry_max, sys::random_u64()) {
  writer_ = std::thread([this] { write_loop(); });
  sender_ = std::thread([this] { send_loop(); });
}

Reporter::~Reporter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  manager_.cancel();
  writer_.join();
  sender_.join();
}

void Reporter::add(ProbeResult result) {
  {
    const std::lock_guard lock(mutex_);
    if (open_.empty()) open_since_ = sys::mono_now();
    open_.push_back(std::move(result));
    ++counts_.results;
  }
  changed_.notify_all();
}

Reporter::Counts Reporter::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Reporter::write_loop() {
  sys::block_all_signals();
  std::unique_lock lock(mutex_);
  while (!stopping_ || !open_.empty()) {
    const auto full = static_cast<std::size_t>(config_.report.max_results);
    if (open_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Duration age = sys::mono_now() - open_since_;
    if (!stopping_ && open_.size() < full && age < config_.report.interval) {
      changed_.wait_for(lock, to_chrono(config_.report.interval - age));
      continue;
    }
    std::vector<ProbeResult> batch(
        std::make_move_iterator(open_.begin()),
        std::make_move_iterator(open_.begin() +
                                static_cast<std::ptrdiff_t>(std::min(full, open_.size()))));
    open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
    lock.unlock();
    write_batch(std::move(batch));
    changed_.notify_all();
    lock.lock();
  }
}

void Reporter::write_batch(std::vector<ProbeResult> batch) {
  const std::uint64_t dropped = spool_.counts().dropped_results;
  const auto written = spool_.add(new_key(), write_results(batch), batch.size());
  if (!written.ok()) {
    log_.error("{}; {} results are in memory only", written.error().text(), batch.size());
  }
  const std::uint64_t now_dropped = spool_.counts().dropped_results;
  if (now_dropped > dropped) {
    log_.warning("[spool] max_bytes: full, {} results dropped", now_dropped - dropped);
  }
}

void Reporter::send_loop() {
  sys::block_all_signals();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || spool_.counts().batches > 0; });
      if (stopping_) return;
    }
    const auto batch = spool_.oldest();
    if (const std::string why = spool_.take_unreadable(); !why.empty()) {
      log_.error("[spool] directory: {}; set aside until the next start", why);
    }
    if (!batch) continue;
    if (send(*batch)) {
      spool_.remove(batch->sequence);
      backoff_.succeeded();
    } else if (wait_for_stop(backoff_.failed())) {
      return;
    }
  }
}

bool Reporter::send(const Spool::Batch& batch) {
  const auto response = manager_.post_results(batch.key, batch.body);
  if (!response.ok()) {
    note_failure(response.error().text());
    return false;
  }
  if (response->status >= 200 && response->status < 300) {
    take_verdict(std::string(response->content()));
    return true;
  }
  const std::string text = "the manager answered results with status " +
                           std::to_string(response->status) + ": " +
                           error_message(response->content());
  note_failure(text);
  if (may_pass_later(response->status)) return false;
  log_.error("{}; the batch {} is given up", text, batch.key);
  const std::lock_guard lock(mutex_);
  ++counts_.refused_batches;
  return true;
}

void Reporter::take_verdict(const std::string& body) {
  const auto verdict = parse_verdict(body);
  const std::lock_guard lock(mutex_);
  ++counts_.sent_batches;
  if (!counts_.last_failure.empty()) {
    log_.info("the manager takes results again");
    counts_.last_failure.clear();
  }
  if (!verdict.ok()) {
    log_.warning("{}", verdict.error().text());
    return;
  }
  counts_.accepted += verdict->accepted;
  counts_.rejected += verdict->rejected.size();
  if (!verdict->rejected.empty()) {
    log_.warning("the manager rejected {} results, the first: {}", verdict->rejected.size(),
                 verdict->rejected.front().reason);
  }
}

void Reporter::note_failure(const std::string& text) {
  const std::lock_guard lock(mutex_);
  ++counts_.failures;
  if (stopping_ || counts_.last_failure == text) return;
  counts_.last_failure = text;
  log_.warning("results are kept: {}", text);
}

bool Reporter::wait_for_stop(Duration span) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, to_chrono(span), [this] { return stopping_; });
}

}  // namespace timepool::monitord
