// Daemon: timepool-ntpd as a whole: the server half, the client half, the control socket, signals
// and reloading. Either half may be absent.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/ntpd.h"
#include "net/control.h"
#include "net/daemon_frame.h"
#include "net/metrics_listener.h"
#include "net/reactor.h"
#include "net/succession.h"
#include "ntp/leap.h"
#include "ntpd/acme_service.h"
#include "ntpd/broadcaster.h"
#include "ntpd/certificate_watch.h"
#include "ntpd/cookie_keeper.h"
#include "ntpd/key_keeper.h"
#include "ntpd/key_server.h"
#include "ntpd/leap_file.h"
#include "ntpd/measurement_log.h"
#include "ntpd/report.h"
#include "ntpd/sandbox.h"
#include "ntpd/source_files.h"
#include "ntpd/time_client.h"
#include "ntpd/time_server.h"
#include "sys/log.h"

namespace timepool::ntpd {

class Daemon {
 public:
  using Begin = net::Succession::Begin;

  // Opens everything, or says what can't be. `config_path` is read again on reload.
  static Result<std::unique_ptr<Daemon>> create(config::NtpdConfig config, std::string config_path,
                                                sys::Logger& logger, Begin begin = Begin::kAlone);
  // Until SIGTERM or SIGINT, or until another process has taken over.
  void run();

 private:
  Daemon(config::NtpdConfig config, std::string config_path, sys::Logger& logger);
  Result<void> open_control();
  Result<void> make_server();
  // What the process before knows of the time; it has given up all but serving then.
  Result<void> take_state();
  // The keys of cookies, by what is configured now.
  Result<void> take_cookies(const config::NtpdConfig& config);
  CookieKeeper::Clock cookie_clock() const;
  Result<void> begin_serving();
  // The server of key establishment, if one is configured.
  Result<void> make_key_server();
  Result<void> begin_key_server();
  Result<void> reload_key_server(config::NtpdConfig& next, boost::json::array& restart);
  // The keeper of its certificate, if one is configured.
  Result<void> make_acme();
  bool clock_is_plausible() const;
  Result<void> reload_acme(config::NtpdConfig& next, boost::json::array& restart);
  void add_acme_commands();
  // The sockets of all servers, in their order.
  std::vector<int> served_descriptors() const;
  void log_serving();
  // The other side: another process takes over from this one.
  void offer_hand_over();
  boost::json::object release();
  void resume();
  Result<void> start_broadcaster();
  void refresh_broadcasts(bool changed);
  // Sockets of peers and for broadcasts, which are made later, may only join those of their own
  // user on a port.
  Result<void> share_ports();
  Result<void> start_client();
  Result<void> make_client();
  // The client, also where nothing is configured that needs one.
  Result<TimeClient*> needed_client();
  std::vector<ntp::SourceConfig> wanted_sources() const;
  // Takes in files of sources that came, changed or went.
  void watch_source_files();
  Result<SourceChanges> apply_sources();
  void start_leap();
  ClockView clock_view() const;
  Result<void> start_metrics();
  void start_log();
  boost::json::object cycle_logs();
  void add_commands();
  void add_report_commands();
  Result<boost::json::object> accept_step();
  // Takes in the configuration anew; all that is wrong with it when it can't be read.
  Result<boost::json::object> reload();
  void log_tracking();
  boost::json::object status() const;
  net::MetricSource metrics_source() const;
  Halves halves() const {
    return {config_,           server_.get(), client_.get(), broadcaster_.get(),
            key_server_.get(), &cookies_,     acme_.get()};
  }

  config::NtpdConfig config_;
  std::string config_path_;
  sys::Logger& logger_;
  MonoTime started_;
  SandboxNeeds kept_;  // what of its rights the process has not given up
  int precision_;
  net::Reactor reactor_;
  net::Succession succession_;
  std::unique_ptr<net::ControlServer> control_;
  std::unique_ptr<TimeServer> server_;
  std::unique_ptr<KeyServer> key_server_;
  std::unique_ptr<AcmeService> acme_;
  std::optional<CertificateWatch> certificate_watch_;
  std::unique_ptr<Broadcaster> broadcaster_;
  std::unique_ptr<MeasurementLog> log_;  // outlives the client
  std::unique_ptr<TimeClient> client_;
  KeyKeeper keys_;
  CookieKeeper cookies_;
  SourceFiles source_files_;
  net::Timer source_files_timer_;
  ntp::LeapKeeper leap_;
  std::unique_ptr<LeapFile> leap_file_;
  std::unique_ptr<net::MetricsListener> metrics_;
  net::Watchdog watchdog_;
};

}  // namespace timepool::ntpd
