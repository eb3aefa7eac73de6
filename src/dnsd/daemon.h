// Daemon: timepool-dnsd as a whole: sockets, zones, snapshots, control socket, metrics, signals and
// reloading. The main thread runs the reactor (TCP, control; UDP too with threads = 0); a second
// one looks for changed files; a third waits for snapshots.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config/dnsd.h"
#include "dnsd/frontend.h"
#include "dnsd/snapshot_relay.h"
#include "dnsd/zone_keeper.h"
#include "net/control.h"
#include "net/daemon_frame.h"
#include "net/http_server.h"
#include "net/reactor.h"
#include "snapshot/snapshot_puller.h"
#include "snapshot/snapshot_store.h"
#include "sys/log.h"

namespace timepool::dnsd {

class Daemon {
 public:
  // Opens everything, or says what can't be. `config_path` is read again on reload.
  static Result<std::unique_ptr<Daemon>> create(config::DnsdConfig config, std::string config_path,
                                                sys::Logger& logger);
  ~Daemon();
  // Until SIGTERM or SIGINT.
  void run();

 private:
  Daemon(config::DnsdConfig config, std::string config_path, sys::Logger& logger);
  Result<void> load_snapshot();
  Result<void> start_metrics();
  void make_puller();
  void start_watching();
  void add_commands();
  boost::json::object status() const;
  // Takes in the configuration anew; all that is wrong with it when it can't be.
  Result<boost::json::object> reload();

  config::DnsdConfig config_;
  std::string config_path_;
  sys::Logger& logger_;
  MonoTime started_;
  net::Reactor reactor_;
  std::unique_ptr<ZoneKeeper> keeper_;  // outlives every reader of its zones
  std::unique_ptr<Frontend> frontend_;
  std::unique_ptr<net::ControlServer> control_;
  std::optional<snapshot::SnapshotStore> store_;
  std::optional<snapshot::Snapshot> held_;
  std::unique_ptr<SnapshotRelay> relay_;  // outlives the puller, which feeds it
  std::unique_ptr<snapshot::SnapshotPuller> puller_;
  std::unique_ptr<net::HttpServer> metrics_;
  net::Watchdog watchdog_;

  std::mutex watch_mutex_;
  std::condition_variable watch_stopped_;
  bool watch_stop_ = false;
  std::thread watcher_;
};

}  // namespace timepool::dnsd
