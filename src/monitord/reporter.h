// Reporter: collects results into batches, puts each on disk, and sends them to the manager until
// it has acknowledged them, oldest first and one at a time. Two threads: one writes, one sends, so
// that neither a slow disk nor a slow manager holds up the other or the probes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "config/monitord.h"
#include "monitord/manager.h"
#include "monitord/messages.h"
#include "monitord/spool.h"
#include "sys/log.h"

namespace timepool::monitord {

class Reporter {
 public:
  struct Counts {
    std::uint64_t results = 0;          // taken in
    std::uint64_t accepted = 0;         // by the manager
    std::uint64_t rejected = 0;         // by the manager, one by one
    std::uint64_t refused_batches = 0;  // whole, for good
    std::uint64_t sent_batches = 0;     // acknowledged
    std::uint64_t failures = 0;         // tries that got no acknowledgement
    std::string last_failure;
  };

  Reporter(const config::MonitordConfig& config, Spool spool, sys::Logger& log);
  // Stops: what is collected goes to disk, a send under way is cut off (and repeated under the same
  // key at the next start).
  ~Reporter();

  void add(ProbeResult result);
  Counts counts() const;
  Spool::Counts spool_counts() const { return spool_.counts(); }

 private:
  void write_loop();
  void send_loop();
  void write_batch(std::vector<ProbeResult> batch);
  // True when the batch is dealt with.
  bool send(const Spool::Batch& batch);
  void take_verdict(const std::string& body);
  void note_failure(const std::string& text);
  // Waits, at most `span`, for the end. True when it came.
  bool wait_for_stop(Duration span);

  const config::MonitordConfig& config_;
  Spool spool_;
  sys::Logger& log_;
  ManagerClient manager_;
  Backoff backoff_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<ProbeResult> open_;
  MonoTime open_since_;
  Counts counts_;

  std::thread writer_;
  std::thread sender_;
};

}  // namespace timepool::monitord
