#include "dnsd/query_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "dnsd/query_text.h"
#include "sys/signal_flag.h"

namespace timepool::dnsd {
namespace {

constexpr std::chrono::milliseconds kRest{10};
// Written at once when there is so much; a query is a few kilobytes at the most.
constexpr std::size_t kBuffer = 64 * 1024;

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(system_error(errno, "write"));
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

QueryLog::QueryLog(std::size_t lanes, sys::Logger& logger) : logger_(logger) {
  for (std::size_t i = 0; i < lanes; ++i) rings_.push_back(std::make_unique<QueryRing>());
}

QueryLog::~QueryLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
  drain();
  end_stream();
}

Result<void> QueryLog::open(const config::DnsdQueryLogConfig& config, const std::string& identity) {
  sys::Fd next;
  const bool dnstap = config.format == config::QueryLogFormat::kDnstap;
  if (!config.file.empty()) {
    const int how = O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND | (dnstap ? O_TRUNC : 0);
    next = sys::Fd(::open(config.file.c_str(), how, 0640));
    if (!next) return fail(system_error(errno, "[query_log] file " + config.file));
  }
  const std::lock_guard lock(mutex_);
  end_stream();
  file_ = std::move(next);
  config_ = config;
  identity_ = identity;
  failing_ = false;
  if (file_ && dnstap) {
    buffer_ = dnstap_start();
    write_out(0);
  }
  sample_.store(file_ ? config.sample : 0, std::memory_order_relaxed);
  run_if_needed();
  return {};
}

void QueryLog::start() {
  const std::lock_guard lock(mutex_);
  started_ = true;
  run_if_needed();
}

void QueryLog::run_if_needed() {
  if (started_ && file_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void QueryLog::leave() {
  const std::lock_guard lock(mutex_);
  sample_.store(0, std::memory_order_relaxed);
  drain();
  file_ = sys::Fd();
}

void QueryLog::run() {
  sys::block_all_signals();
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kRest, [this] { return stop_; })) drain();
}

void QueryLog::drain() {
  std::size_t queries = 0;
  for (const auto& ring : rings_) {
    QueryRing::Kept kept;
    // No more than was there: a ring that is filled as fast as it is read must not keep the others
    // waiting.
    for (std::size_t i = 0; i < QueryRing::kPlaces && ring->front(kept); ++i) {
      if (file_) {
        if (config_.format == config::QueryLogFormat::kJson) {
          buffer_ += json_line(kept);
        } else {
          append_dnstap(kept, identity_, buffer_);
        }
        ++queries;
      }
      ring->pop();
      if (buffer_.size() < kBuffer) continue;
      write_out(queries);
      queries = 0;
    }
  }
  write_out(queries);
}

void QueryLog::write_out(std::size_t queries) {
  if (buffer_.empty()) return;
  const auto done = write_all(file_.number(), buffer_);
  buffer_.clear();
  (done.ok() ? written_ : failed_) += queries;
  if (!done.ok() && !failing_) {
    logger_.error("[query_log] file {}: {}; queries are lost until it takes them", config_.file,
                  done.error().text());
  }
  failing_ = !done.ok();
}

void QueryLog::end_stream() {
  if (!file_ || config_.format != config::QueryLogFormat::kDnstap) return;
  buffer_ += dnstap_stop();
  write_out(0);
}

QueryLogCounts QueryLog::counts() const {
  QueryLogCounts out;
  out.written = written_;
  out.failed = failed_;
  for (const auto& ring : rings_) out.dropped += ring->dropped();
  return out;
}

}  // namespace timepool::dnsd
