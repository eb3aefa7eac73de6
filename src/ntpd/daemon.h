// Daemon: timepool-ntpd as a whole: the server half, the client half, the control socket, signals
// and reloading. Either half may be absent.
#pragma once

#include <memory>
#include <string>

#include "config/ntpd.h"
#include "net/control.h"
#include "net/metrics_listener.h"
#include "net/reactor.h"
#include "ntp/leap.h"
#include "ntpd/key_keeper.h"
#include "ntpd/leap_file.h"
#include "ntpd/measurement_log.h"
#include "ntpd/report.h"
#include "ntpd/source_files.h"
#include "ntpd/time_client.h"
#include "ntpd/time_server.h"
#include "sys/log.h"

namespace timepool::ntpd {

class Daemon {
 public:
  // Opens everything, or says what can't be. `config_path` is read again on reload.
  static Result<std::unique_ptr<Daemon>> create(config::NtpdConfig config, std::string config_path,
                                                sys::Logger& logger);
  // Until SIGTERM or SIGINT.
  void run();

 private:
  Daemon(config::NtpdConfig config, std::string config_path, sys::Logger& logger);
  Result<void> open_control();
  Result<void> start_server();
  Result<void> start_client();
  Result<void> make_client();
  // The client, also where nothing is configured that needs one.
  Result<TimeClient*> needed_client();
  std::vector<ntp::SourceConfig> wanted_sources() const;
  // Takes in files of sources that came, changed or went.
  void watch_source_files();
  Result<SourceChanges> apply_sources();
  void start_leap();
  wire::ntp::Leap leap_announcement(UnixTime now);
  Result<void> start_metrics();
  void start_log();
  boost::json::object cycle_logs();
  Result<void> catch_signals();
  void add_commands();
  void add_report_commands();
  Result<boost::json::object> accept_step();
  // Takes in the configuration anew; all that is wrong with it when it can't be read.
  Result<boost::json::object> reload();
  void keep_watchdog();
  void log_tracking();
  boost::json::object status() const;
  net::MetricSource metrics_source() const;
  Halves halves() const { return {config_, server_.get(), client_.get()}; }

  config::NtpdConfig config_;
  std::string config_path_;
  sys::Logger& logger_;
  MonoTime started_;
  int precision_;
  net::Reactor reactor_;
  std::unique_ptr<net::ControlServer> control_;
  std::unique_ptr<TimeServer> server_;
  std::unique_ptr<MeasurementLog> log_;  // outlives the client
  std::unique_ptr<TimeClient> client_;
  KeyKeeper keys_;
  SourceFiles source_files_;
  net::Timer source_files_timer_;
  ntp::LeapKeeper leap_;
  std::unique_ptr<LeapFile> leap_file_;
  std::unique_ptr<net::MetricsListener> metrics_;
  net::Timer watchdog_;
};

}  // namespace timepool::ntpd
