// SnapshotPuller: keeps a node on the newest snapshot of a channel. It long-polls the URLs in their
// order of preference, verifies what it gets, hands it to the node, and keeps it in the store. An
// older serial than the one held is refused, whoever signed it.
//
// Its own thread calls `accept`; status() and stop() may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/ed25519.h"
#include "net/http_client.h"
#include "snapshot/seal.h"
#include "snapshot/snapshot_source.h"
#include "snapshot/snapshot_store.h"
#include "sys/pausing_thread.h"

namespace timepool::snapshot {

struct PullerOptions {
  std::vector<std::string> urls;  // "http://127.0.0.1:8080", the preferred one first; not empty
  std::string channel = "dns";
  std::vector<crypto::PublicKey> public_keys;
  std::string ca_file;                      // for https; "" is the system's store
  Duration wait = Duration::seconds(60);    // how long one long-poll may wait
  Duration margin = Duration::seconds(30);  // beyond it, for the transfer
  Duration connect_timeout = Duration::seconds(5);
  Duration min_interval = Duration::seconds(1);  // between two requests that bring nothing new
  Duration first_rest = Duration::seconds(1);    // of a URL after a failure; doubles each time
  Duration longest_rest = Duration::seconds(60);
  std::uint64_t seed = 1;  // of the jitter
  // Given each snapshot that was taken, as it was sealed. From the puller's thread.
  std::function<void(std::uint64_t serial, const std::string& file)> hand_on;
  // Told of each fault when it is another than the last, and of its end. From the puller's thread.
  std::function<void(bool fault, const std::string& text)> tell;
};

struct PullerStatus {
  std::uint64_t serial = 0;               // held now; 0 is none
  std::optional<UnixTime> created;        // of that one
  std::optional<UnixTime> last_contact;   // a URL answered well, with news or without
  std::optional<UnixTime> last_snapshot;  // a new one was taken
  std::string url;                        // that answered last
  std::string last_error;                 // stays until the next new snapshot; "" is none
  std::optional<UnixTime> last_error_time;
  std::uint64_t fetched = 0;  // new snapshots taken
  std::uint64_t failures = 0;
};

class SnapshotPuller {
 public:
  // Takes a snapshot into use; an error refuses it (its zones do not load), and the one before
  // stays.
  using Accept = std::function<Result<void>(const Snapshot&)>;

  // `store` may be null: then nothing is kept. `held` is what the node loaded from it, if anything.
  SnapshotPuller(PullerOptions options, SnapshotStore* store, const std::optional<Snapshot>& held,
                 Accept accept);
  ~SnapshotPuller();
  SnapshotPuller(const SnapshotPuller&) = delete;
  SnapshotPuller& operator=(const SnapshotPuller&) = delete;

  // Starts the thread that calls step().
  void start();
  // Ends a long-poll under way and joins the thread. Cannot be started again.
  void stop();
  PullerStatus status() const;

  // One request to the best URL that does not rest; the time to wait before the next step. Called
  // by the thread, or by a caller that never starts one.
  Duration step();

 private:
  enum class News : unsigned char { kNew, kNone };
  Result<News> pull(const std::string& url);
  Result<News> take(const std::string& file);
  void note_success(const std::string& url);
  void save();
  void note_failure(const std::string& url, const Error& error);

  const PullerOptions options_;
  SnapshotStore* const store_;
  const Accept accept_;
  net::HttpClient client_;
  SourceChoice choice_;

  mutable std::mutex mutex_;
  PullerStatus status_;
  // Of the thread that steps.
  std::string unsaved_;  // the snapshot in use, while it could not be written
  std::string told_;     // the fault that was told last; "" is none
  std::string told_save_;
  sys::PausingThread thread_;
};

}  // namespace timepool::snapshot
