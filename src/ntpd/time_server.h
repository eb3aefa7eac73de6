// TimeServer: the serving half of the daemon: sockets, workers, and the state that they announce.
// Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/ip.h"
#include "config/ntpd.h"
#include "net/published.h"
#include "net/reactor.h"
#include "net/udp_worker.h"
#include "ntp/server/service.h"
#include "ntpd/served_state.h"
#include "ntpd/server_access.h"
#include "ntpd/server_handler.h"
#include "ntpd/server_watch.h"

namespace timepool::ntpd {

class TimeServer {
 public:
  // Binds all addresses or says which one can't be.
  static Result<std::unique_ptr<TimeServer>> start(net::Reactor& reactor, sys::Logger& logger,
                                                   const config::NtpServerConfig& config,
                                                   int precision, ViewClock view = {});

  // The same, but answers only from begin() on. `inherited`: sockets to take instead of binding.
  static Result<std::unique_ptr<TimeServer>> create(net::Reactor& reactor, sys::Logger& logger,
                                                    const config::NtpServerConfig& config,
                                                    int precision, ViewClock view,
                                                    net::InheritedSockets* inherited);
  Result<void> begin();
  // What comes from now on waits in the sockets' queues, for begin() or another process.
  void stop();
  bool serving() const { return serving_; }
  // The sockets in their order.
  const std::vector<int>& descriptors() const { return server_->descriptors(); }

  // Serves this while the client half says nothing, until kHoldover after it was made: the clock
  // was right then, and goes on at the rate that was found. Its dispersion grows on.
  static constexpr Duration kHoldover = Duration::seconds(600);
  void hold(const ntp::ServerState& state);

  // Takes in [server.local], [server.smear], [server.test] and the settings beside them,
  // [server.access] with its files and [server.limits]; what is known of the clients stays. False
  // when another setting changed, which needs a restart. On an error everything is as it was.
  Result<bool> reload(const config::NtpServerConfig& config);

  // The keys of clients from now on; null: none.
  void set_keys(std::shared_ptr<const ntp::KeyRing> keys);

  // The keys of cookies from now on; null: fields of NTS say nothing.
  void set_cookies(std::shared_ptr<const nts::CookieKeys> cookies);

  // Takes in what the client half says now; done by itself from time to time.
  void refresh();

  std::vector<Endpoint> addresses() const { return server_->addresses(); }
  // 0: the main loop answers.
  unsigned threads() const { return config_.threads; }
  net::UdpTotals totals() const {
    server_->wait_settled();
    return server_->totals();
  }
  // One reason for each datagram received, by version and mode, and how long replies took.
  ServerCounts counts() const;
  const RequestRates& rates() const { return watch_.rates(); }
  // The newest that any worker dropped for `reason`.
  std::optional<LastSeen::Value> last_dropped(ntp::Reason reason) const;
  const ntp::ServerState& state() const { return service_.current().state; }
  // By how much the time served departs from UTC for a leap second, when the state was made; zero
  // while none is smeared.
  Duration smeared() const { return served_.smeared().value_or(Duration()); }
  // The `count` (at most kMaxClientsListed) most active clients of all workers.
  std::vector<ntp::ClientReport> clients(std::size_t count, MonoTime now) const;
  static constexpr std::size_t kMaxClientsListed = 1000;
  // How many clients are remembered, and how many could be.
  std::size_t clients_remembered() const;
  std::size_t clients_at_most() const;
  std::uint64_t count(ntp::RateLimiter::Event event) const;
  // What all workers did with cookies.
  nts::CookieCounts cookie_counts() const;
  std::size_t prefixes() const { return access_.prefixes(); }

 private:
  TimeServer(net::Reactor& reactor, sys::Logger& logger, const config::NtpServerConfig& config,
             int precision, ViewClock view);
  void keep_watch();
  void take_access();
  ntp::ServerState make_state();
  void tell_change(const ntp::ServerState& before, const ntp::ServerState& now);

  config::NtpServerConfig config_;
  ViewClock view_;
  std::optional<ntp::ServerState> held_;  // it has `made`
  ServedState served_;
  // Workers read it: it outlives them.
  net::Published<ntp::Service> service_;
  net::Reactor& reactor_;
  sys::Logger& logger_;
  std::unique_ptr<net::UdpServer<ServerHandler>> server_;
  net::Timer refresh_timer_;
  net::Timer watch_timer_;
  ServerWatch watch_;
  ServerAccess access_;
  std::vector<std::string> missing_;  // interfaces, as last warned of
  ntp::LimitSettings limits_;
  std::shared_ptr<const ntp::KeyRing> keys_;
  std::shared_ptr<const nts::CookieKeys> cookies_;
  bool serving_ = false;
};

}  // namespace timepool::ntpd
