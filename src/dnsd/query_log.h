// QueryLog: a sample of the queries in a file (query_file.h), or to a program that takes dnstap
// (tap_stream.h). Threads that answer put them into a ring each
// (QueryRing) and never wait; a thread of the log writes them down. What comes faster than it can
// write is left out and counted, and so is what the file does not take.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "config/dnsd_query_log.h"
#include "dnsd/query_file.h"
#include "dnsd/query_ring.h"
#include "dnsd/tap_stream.h"
#include "sys/log.h"
#include "sys/pausing_thread.h"

namespace timepool::dnsd {

struct QueryLogCounts {
  std::uint64_t written = 0;
  std::uint64_t dropped = 0;  // no place in a ring
  std::uint64_t failed = 0;   // not taken by the file, or the program at the socket
};

class QueryLog {
 public:
  // For `lanes` threads that answer, which outlive nothing of it.
  QueryLog(std::size_t lanes, sys::Logger& logger);
  ~QueryLog();

  // How long the last queries may take to reach the program at the socket.
  static constexpr Duration kFarewell = Duration::milliseconds(500);

  // Opens the file anew, or turns to the socket, or ends logging where there is neither. `identity`
  // names this server in dnstap. Errors: the file can't be opened; then nothing changes. One thread
  // at a time.
  Result<void> open(const config::DnsdQueryLogConfig& config, const std::string& identity);
  // From now on there may be a thread that writes.
  void start();
  // Leaves the file to another process that has it open too, or the socket's program to it.
  void leave();

  // Whether this query is one of the sample.
  bool wants(Prng& prng) const {
    const std::uint32_t sample = sample_.load(std::memory_order_relaxed);
    return sample != 0 && (sample == 1 || prng.below(sample) == 0);
  }
  // The thread of `lane` alone.
  void put(std::size_t lane, const SeenQuery& seen) { rings_[lane]->put(seen); }

  QueryLogCounts counts() const;

 private:
  // Writes down what waits now.
  void drain();
  void write_out(std::size_t queries);
  void send(const QueryRing::Kept& kept);
  void count_sent();
  void tell(const std::string& problem);
  void finish();
  void run_if_needed();

  sys::Logger& logger_;
  std::vector<std::unique_ptr<QueryRing>> rings_;
  std::atomic<std::uint32_t> sample_{0};  // 0: nothing is logged
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> failed_{0};

  std::mutex mutex_;  // of what follows
  std::optional<QueryFile> file_;
  std::optional<TapStream> stream_;
  // Of stream_, as they are in written_ and failed_.
  std::uint64_t stream_sent_ = 0;
  std::uint64_t stream_lost_ = 0;
  bool no_place_ = false;  // in the stream's queue, now
  config::DnsdQueryLogConfig config_;
  std::string identity_;
  std::string buffer_;
  std::string problem_;  // that was told
  bool started_ = false;
  sys::PausingThread thread_;
};

}  // namespace timepool::dnsd
