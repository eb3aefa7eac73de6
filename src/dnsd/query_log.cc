#include "dnsd/query_log.h"

#include <utility>

#include "dnsd/query_text.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace {

constexpr Duration kRest = Duration::milliseconds(10);
// Written at once when there is so much; a query is a few kilobytes at the most.
constexpr std::size_t kBuffer = 64 * 1024;

}  // namespace

QueryLog::QueryLog(std::size_t lanes, sys::Logger& logger) : logger_(logger) {
  for (std::size_t i = 0; i < lanes; ++i) rings_.push_back(std::make_unique<QueryRing>());
}

QueryLog::~QueryLog() {
  thread_.stop();
  drain();
  finish();
}

Result<void> QueryLog::open(const config::DnsdQueryLogConfig& config, const std::string& identity) {
  std::optional<QueryFile> next;
  if (!config.file.empty()) next = TRY(QueryFile::open(config));
  const std::lock_guard lock(mutex_);
  // Who listens at a socket goes on listening.
  const bool goes_on = stream_ && stream_->path() == config.socket;
  if (!goes_on) finish();
  file_ = std::move(next);
  if (!goes_on && !config.socket.empty()) {
    stream_.emplace(config.socket);
    stream_sent_ = stream_lost_ = 0;
  }
  config_ = config;
  identity_ = identity;
  problem_.clear();
  sample_.store(file_ || stream_ ? config.sample : 0, std::memory_order_relaxed);
  run_if_needed();
  return {};
}

void QueryLog::start() {
  const std::lock_guard lock(mutex_);
  started_ = true;
  run_if_needed();
}

void QueryLog::run_if_needed() {
  if (!started_ || (!file_ && !stream_)) return;
  thread_.start(kRest, [this] {
    const std::lock_guard lock(mutex_);
    drain();
    return kRest;
  });
}

void QueryLog::leave() {
  const std::lock_guard lock(mutex_);
  sample_.store(0, std::memory_order_relaxed);
  drain();
  if (file_) file_->leave();
  file_.reset();
  finish();
}

void QueryLog::drain() {
  std::size_t queries = 0;
  for (const auto& ring : rings_) {
    QueryRing::Kept kept;
    // No more than was there: a ring that is filled as fast as it is read must not keep the others
    // waiting.
    for (std::size_t i = 0; i < QueryRing::kPlaces && ring->front(kept); ++i) {
      if (stream_) send(kept);
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
  if (!stream_) return;
  stream_->turn(sys::mono_now());
  count_sent();
  tell(!stream_->problem().empty() ? stream_->problem()
       : no_place_                 ? "it takes less than there is"
                                   : "");
}

void QueryLog::send(const QueryRing::Kept& kept) {
  append_dnstap(kept, identity_, buffer_);
  no_place_ = !stream_->put(buffer_);
  if (no_place_) ++failed_;
  buffer_.clear();
}

void QueryLog::count_sent() {
  written_ += stream_->sent() - std::exchange(stream_sent_, stream_->sent());
  failed_ += stream_->lost() - std::exchange(stream_lost_, stream_->lost());
}

void QueryLog::write_out(std::size_t queries) {
  if (buffer_.empty()) return;
  const auto done = file_->append(buffer_);
  buffer_.clear();
  (done.ok() ? written_ : failed_) += queries;
  tell(done.ok() ? "" : done.error().text());
}

// Once, until it is another.
void QueryLog::tell(const std::string& problem) {
  if (!problem.empty() && problem != problem_) {
    logger_.error("[query_log] {} {}: {}; queries are lost until it takes them",
                  stream_ ? "socket" : "file", stream_ ? config_.socket : config_.file, problem);
  }
  if (problem.empty() && !problem_.empty()) logger_.info("[query_log]: queries are taken again");
  problem_ = problem;
}

void QueryLog::finish() {
  if (file_) file_->finish();
  file_.reset();
  if (!stream_) return;
  stream_->close(kFarewell);
  count_sent();
  stream_.reset();
}

QueryLogCounts QueryLog::counts() const {
  QueryLogCounts out;
  out.written = written_;
  out.failed = failed_;
  for (const auto& ring : rings_) out.dropped += ring->dropped();
  return out;
}

}  // namespace timepool::dnsd
