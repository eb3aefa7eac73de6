// CertificateWatch: notices at once when files of certificates change, whoever replaces them. A
// chain and its key come one after the other: it tells when nothing has changed for a moment. Main
// thread only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/ntpd_nts_server.h"
#include "net/reactor.h"
#include "sys/file_watch.h"
#include "sys/log.h"

namespace timepool::ntpd {

class CertificateWatch {
 public:
  static constexpr Duration kQuiet = Duration::milliseconds(300);

  // All outlive it.
  CertificateWatch(net::Reactor& reactor, sys::Logger& logger, std::function<void()> changed)
      : reactor_(reactor), logger_(logger), changed_(std::move(changed)) {}

  // These from now on, with what they lead to where they are links. Where it can't be done the log
  // says so: then the files are looked at from time to time only.
  void set(const std::vector<config::NtsCertificateConfig>& certificates);

 private:
  void handle_ready();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  std::function<void()> changed_;
  std::optional<sys::FileWatch> files_;
  net::Watch watch_;
  net::Timer quiet_;
};

}  // namespace timepool::ntpd
