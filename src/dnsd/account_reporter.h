// AccountReporter: tells the manager how often each server was handed out, in batches with an
// Idempotency-Key each, so that a batch counts once however often it has to be sent. While no
// manager takes the batch that is under way the counts after it add up in Accounting, and so an
// absence of any length takes no more memory. What is not told at the end goes into the spool file
// and is sent first after the next start.
//
// A thread of its own; status() from any.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/result.h"
#include "base/time.h"
#include "dnsd/accounting.h"
#include "net/http_client.h"
#include "sys/pausing_thread.h"

namespace timepool::dnsd {

struct ReporterOptions {
  std::vector<std::string> urls;  // of managers, the preferred one first; at least one
  std::string ca_file;
  std::string token_file;
  std::string spool_file;  // empty: there is none
  Duration interval;
  // A line for the log; `fault` when something is wrong that was not before.
  std::function<void(bool fault, const std::string& text)> tell;
};

struct ReporterStatus {
  std::uint64_t sent = 0;     // batches that a manager took
  std::uint64_t refused = 0;  // batches that it will never take
  std::size_t waiting = 0;    // batches that are to be sent
  std::optional<UnixTime> last_sent;
  std::string last_error;  // empty once a batch was taken
};

class AccountReporter {
 public:
  // Counts in a batch: with the longest names of zones it stays under the manager's limit of 1 MiB.
  static constexpr std::size_t kBatch = 2500;
  // What a process leaves that another one took over from lies in the spool file's name and this:
  // the one that runs takes it in.
  static constexpr const char* kLeftSuffix = ".left";
  // What can't be read of either is set aside by this.
  static constexpr const char* kBadSuffix = ".bad";
  // Batches in the spool: 160,000 servers of zones. What is more at the end is lost.
  static constexpr std::size_t kMaxSpooled = 64;

  // Reads the spool; what is none is told and set aside. Errors: the system's. `accounting`
  // outlives it.
  static Result<std::unique_ptr<AccountReporter>> create(ReporterOptions options,
                                                         Accounting& accounting);
  // Spools what was not told.
  ~AccountReporter();

  void start();
  // Ends the thread at once. Then counts are complete when nothing answers any more.
  void stop();
  ReporterStatus status() const;

 private:
  struct Batch {
    std::string key;
    std::string body;
  };
  AccountReporter(ReporterOptions options, Accounting& accounting)
      : options_(std::move(options)), accounting_(accounting) {}
  // Adds the batches of a spool file, if it is there, or none of them.
  Result<void> load(const std::string& path);
  Result<void> take_in(const std::string& path);
  void take_left();
  // False: they are not on disk.
  bool save();
  // Sends what there is; false when a batch has to wait.
  bool send_all();
  // The next batch from Accounting; false when nothing was handed out.
  bool collect();
  enum class Fate : unsigned char { kTaken, kRefused, kWaits };
  Fate send(const Batch& batch);
  Result<int> post(const std::string& url, const std::string& token, const Batch& batch);
  void note(Fate fate, const std::string& problem);

  const ReporterOptions options_;
  Accounting& accounting_;
  net::HttpClient client_;
  std::deque<Batch> batches_;  // the reporter's thread alone, once it runs

  mutable std::mutex mutex_;
  ReporterStatus status_;
  sys::PausingThread thread_;
};

}  // namespace timepool::dnsd
