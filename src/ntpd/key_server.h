// KeyServer: the server of key establishment (RFC 8915 4): listening sockets, threads, certificates
// and limits of [nts.server]. Main thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/ip.h"
#include "config/ntpd_nts_server.h"
#include "crypto/aead.h"
#include "net/certificate_store.h"
#include "net/inherited_sockets.h"
#include "net/reactor.h"
#include "ntpd/key_counters.h"
#include "ntpd/key_gate.h"
#include "ntpd/key_service.h"
#include "ntpd/key_worker.h"
#include "nts/cookie_keys.h"
#include "nts/cookies.h"
#include "sys/certificate_files.h"
#include "sys/log.h"

namespace timepool::ntpd {

class KeyServer {
 public:
  // Descriptors that connections never take: files, sockets of NTP, of the control socket and of
  // metrics that are opened later.
  static constexpr std::size_t kReservedDescriptors = 64;
  // How often the files of certificates are looked at.
  static constexpr Duration kLookInterval = Duration::seconds(60);
  static constexpr int kBacklog = 4096;

  struct Options {
    // Where the server's own NTP is, when no [[nts.server.ntp_server]] says anything else.
    std::uint16_t ntp_port = 123;
    net::InheritedSockets* inherited = nullptr;  // sockets to take instead of binding
    // Of [nts.acme], which may come later; until there is any certificate every connection is
    // refused.
    std::optional<sys::CertificateFiles> acme;
  };

  // Reads the certificates and binds, or says what is wrong; answers from begin() on.
  static Result<std::unique_ptr<KeyServer>> create(net::Reactor& reactor, sys::Logger& logger,
                                                   const config::NtsServerConfig& config,
                                                   Options options);
  ~KeyServer();

  Result<void> begin();
  // New connections wait in the listening sockets, for begin() or another process. Those that have
  // begun are served on.
  void stop();
  // After stop(): until all connections are over, or as long as one may take.
  void drain();
  bool serving() const { return serving_; }

  // Takes in certificates, limits and what is told to clients. False when another setting changed,
  // which needs a restart. On an error everything is as it was.
  Result<bool> reload(const config::NtsServerConfig& config, std::uint16_t ntp_port);

  // Looks whether there are other certificates, before it is time for that.
  void look_at_certificates();

  // The keys of cookies from now on; null: none, and clients are told of an internal error.
  void set_cookies(std::shared_ptr<const nts::CookieKeys> keys);

  const std::vector<Endpoint>& addresses() const { return addresses_; }
  const std::vector<int>& descriptors() const { return descriptors_; }
  unsigned threads() const { return config_.threads; }

  KeyCounts counts() const;
  // Made by all workers.
  std::uint64_t cookies_made() const;
  std::size_t open() const { return gate_->open(); }
  std::size_t limit() const { return gate_->limit(); }
  const net::CertificateStore& certificates() const { return certificates_; }

 private:
  // A worker with the thread and reactor that it has for itself, or on the main one.
  struct Place;

  KeyServer(net::Reactor& reactor, sys::Logger& logger, const config::NtsServerConfig& config,
            Options options);
  Result<void> bind_all();
  Result<void> make_places();
  Result<void> load_certificates(const std::vector<config::NtsCertificateConfig>& configured);
  void publish();
  void watch_certificates();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  config::NtsServerConfig config_;
  Options options_;
  net::CertificateStore certificates_;
  bool has_acme_ = false;  // certificates_
  std::vector<nts::NtpServer> ntp_servers_;
  std::shared_ptr<const nts::CookieKeys> cookies_;
  crypto::GcryptAeads aeads_;
  NewestKeyService service_;
  std::unique_ptr<KeyGate> gate_;
  std::vector<sys::Fd> listeners_;
  std::vector<int> descriptors_;
  std::vector<Endpoint> addresses_;
  std::vector<std::unique_ptr<Place>> places_;
  net::Timer look_timer_;
  bool serving_ = false;
};

}  // namespace timepool::ntpd
