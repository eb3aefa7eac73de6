// KeyService: what connections of key establishment are answered by: certificates, algorithms,
// servers, keys of cookies and limits of time. Immutable; a connection keeps the one that it began
// with. And where workers get the newest from. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "base/duration.h"
#include "net/tls_context.h"
#include "nts/cookie_keys.h"
#include "nts/ke_server.h"

namespace timepool::ntpd {

struct KeyService {
  std::shared_ptr<const net::TlsServerContext> tls;  // null: no certificate, nobody is let in
  nts::KeServerConfig messages;
  std::shared_ptr<const nts::CookieKeys> cookies;  // null: none can be made, clients are told so
  Duration deadline;                               // from the connection to the end of the request
};

class NewestKeyService {
 public:
  void set(std::shared_ptr<const KeyService> next) {
    const std::lock_guard lock(mutex_);
    service_ = std::move(next);
  }
  // Null before the first.
  std::shared_ptr<const KeyService> get() const {
    const std::lock_guard lock(mutex_);
    return service_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyService> service_;
};

}  // namespace timepool::ntpd
