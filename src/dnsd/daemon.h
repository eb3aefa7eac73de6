// Daemon: timepool-dnsd as a whole: sockets, zones, snapshots, control socket, metrics, signals and
// reloading. The main thread runs the reactor (control; UDP too with threads = 0); workers answer;
// one thread looks for changed files; another waits for snapshots. No thread before the sandbox.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "config/dnsd.h"
#include "dnsd/account_reporter.h"
#include "dnsd/frontend.h"
#include "dnsd/key_keeper.h"
#include "dnsd/notifier.h"
#include "dnsd/report.h"
#include "dnsd/signing_keeper.h"
#include "dnsd/snapshot_relay.h"
#include "dnsd/zone_keeper.h"
#include "net/control.h"
#include "net/daemon_frame.h"
#include "net/http_server.h"
#include "net/reactor.h"
#include "net/succession.h"
#include "snapshot/snapshot_puller.h"
#include "snapshot/snapshot_store.h"
#include "sys/log.h"
#include "sys/pausing_thread.h"
#include "sys/sandbox.h"

namespace timepool::dnsd {

class Daemon {
 public:
  using Begin = net::Succession::Begin;
  // How long a start that takes over waits for a first snapshot, when none is kept on disk.
  static constexpr Duration kFirstSnapshotWait = Duration::seconds(20);

  // How long it may sign while the process before answers, which waits some 15 s.
  static constexpr Duration kTakeOverSigning = Duration::seconds(5);

  // Opens everything, or says what can't be. `config_path` is read again on reload.
  static Result<std::unique_ptr<Daemon>> create(config::DnsdConfig config, std::string config_path,
                                                sys::Logger& logger, Begin begin = Begin::kAlone);
  ~Daemon();
  // Until SIGTERM or SIGINT, or until another process has taken over.
  void run();

 private:
  Daemon(config::DnsdConfig config, std::string config_path, sys::Logger& logger);
  Result<void> open_control();
  Result<void> load_snapshot();
  Result<void> start_metrics();
  void prepare_signing();
  void write_all_metrics(net::MetricSink& sink);
  // Keys of the zones that are served now.
  Result<void> make_key_directory();
  Result<void> make_journal_directory();
  // To whom this process becomes, unless it was `there` before.
  Result<void> give_directory(const std::string& path, bool there, const char* setting);
  Result<void> open_keys();
  void start_puller();
  // What it holds is not fetched again by the next one.
  void stop_puller();
  // Hands the snapshot that is held on, where that is wanted.
  Result<void> start_relay();
  ReporterOptions reporter_options() const;
  Result<void> start_reporter();
  void leave_counts();
  Parts parts();
  // Everything beside answering that has a thread.
  Result<void> start_helpers();
  // A server that takes over must know what the one before knew.
  Result<void> await_snapshot();
  // Tells other servers of changed zones, where [transfer] names any.
  Result<void> start_notifier(const config::DnsdTransferConfig& config);
  Result<void> begin_serving();
  // The other side: another process takes over from this one.
  void offer_hand_over();
  void release();
  void resume();
  void add_commands();
  boost::json::object status() const;
  // Takes in the configuration anew; all that is wrong with it when it can't be.
  Result<boost::json::object> reload();
  Result<void> take_settings(const config::DnsdConfig& next);
  // What of `next` needs a restart: it stays as it is now, and is named.
  boost::json::array keep_unchangeable(config::DnsdConfig& next) const;

  config::DnsdConfig config_;
  std::string config_path_;
  sys::Logger& logger_;
  MonoTime started_;
  sys::SandboxNeeds kept_;  // what of its rights the process has not given up
  net::Reactor reactor_;
  net::Succession succession_;
  std::unique_ptr<ZoneKeeper> keeper_;  // outlives every reader of its zones
  std::unique_ptr<SigningKeeper> signing_;
  std::unique_ptr<KeyKeeper> key_keeper_;
  std::unique_ptr<Notifier> notifier_;             // outlives those who change zones
  std::atomic<const Notifier*> telling_{nullptr};  // the same, for the thread of metrics
  std::unique_ptr<QueryLog> query_log_;            // outlives every thread that answers
  std::unique_ptr<Frontend> frontend_;
  std::unique_ptr<net::ControlServer> control_;
  std::optional<snapshot::SnapshotStore> store_;
  std::optional<snapshot::Snapshot> held_;
  std::unique_ptr<SnapshotRelay> relay_;  // outlives the puller, which feeds it
  std::unique_ptr<snapshot::SnapshotPuller> puller_;
  std::unique_ptr<AccountReporter> reporter_;
  std::unique_ptr<net::HttpServer> metrics_;
  net::Watchdog watchdog_;
  sys::PausingThread watch_;
};

}  // namespace timepool::dnsd
