// AcmeService: [nts.acme] in the daemon: the sockets, directories and programs by which challenges
// are served, and the thread that does the rest (acme_worker.h). Main thread only.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.h"
#include "certificates/challenge_board.h"
#include "certificates/challenge_listener.h"
#include "certificates/hook.h"
#include "config/ntpd_nts_acme.h"
#include "net/inherited_sockets.h"
#include "net/reactor.h"
#include "ntpd/acme_worker.h"
#include "sys/certificate_files.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::ntpd {

class AcmeService {
 public:
  // How often it is looked whether the clock may be believed, until it may.
  static constexpr Duration kClockInterval = Duration::seconds(1);

  struct Options {
    std::string store;  // acme_store()'s
    std::string user;   // [sandbox] user: whose the directories are that are made; empty: our own
    net::InheritedSockets* inherited = nullptr;  // sockets to take instead of binding
    // Whether dates mean anything now (A11).
    std::function<bool()> clock_is_plausible;
    // Another certificate is on disk.
    std::function<void()> changed;
  };

  // All that needs rights or a file system: before the sandbox and before there are threads. Errors
  // name the setting.
  static Result<std::unique_ptr<AcmeService>> create(net::Reactor& reactor, sys::Logger& logger,
                                                     const config::NtsAcmeConfig& config,
                                                     Options options);
  ~AcmeService();

  // Serves challenges and does what is due. Errors: a setting that is wrong.
  Result<void> begin();
  // Gives way to another process, until begin().
  void stop();
  // Other settings from now on. False when one changed that needs a restart. On an error everything
  // is as it was.
  Result<bool> reload(const config::NtsAcmeConfig& config);

  AcmeWorker& worker() { return *worker_; }
  const AcmeWorker& worker() const { return *worker_; }
  const config::NtsAcmeConfig& config() const { return config_; }
  const std::string& store() const { return options_.store; }
  // Of those that listen, HTTP before TLS; they stay open over stop().
  std::vector<int> descriptors() const;
  std::vector<Endpoint> addresses(certificates::ChallengeListener::Kind kind) const;
  // What they answered, since the start.
  certificates::ChallengeListener::Counters counters() const;

 private:
  using Listener = certificates::ChallengeListener;
  struct Socket {
    Listener::Kind kind;
    sys::Fd fd;
    Endpoint address;
    std::unique_ptr<Listener> listener;  // null while it is stopped
  };

  AcmeService(net::Reactor& reactor, sys::Logger& logger, const config::NtsAcmeConfig& config,
              Options options);
  Result<void> prepare();
  Result<void> make_store() const;
  Result<void> make_presenter();
  Result<void> bind_all(Listener::Kind kind, const std::vector<Endpoint>& wanted,
                        std::uint16_t port);
  void watch_clock();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  config::NtsAcmeConfig config_;
  Options options_;
  certificates::ChallengeBoard board_;
  std::unique_ptr<certificates::Presenter> other_presenter_;  // null: the board
  certificates::Hook* hook_ = nullptr;                        // other_presenter_, if it is one
  std::vector<Socket> sockets_;
  Listener::Counters ended_;  // of listeners that were stopped
  bool clock_was_right_ = false;
  net::Timer clock_timer_;              // until it was
  std::unique_ptr<AcmeWorker> worker_;  // ends before what it uses
};

// The file that a keeper of certificates writes, as a server's settings name it.
sys::CertificateFiles acme_files(const std::string& store);

}  // namespace timepool::ntpd
