// ServiceLookups: the validated look-ups of the daemon's pools by SRV records, and of the servers
// that these name: net/service_resolver.h on the daemon's reactor. Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/ntpd.h"
#include "net/reactor.h"
#include "net/resolver_watch.h"
#include "net/service_resolver.h"
#include "ntp/service.h"

namespace timepool::ntpd {

// Of [nts.srv] and [resolver]. Errors: those of the files of trust anchors.
Result<net::ServiceResolverOptions> service_options(const config::NtpdConfig& config);
// As the core wants it; `dates_checked` is what the look-up was begun with.
ntp::ServiceAnswer service_answer(const net::ServiceLookup& found, bool dates_checked);

class ServiceLookups {
 public:
  ServiceLookups(net::Reactor& reactor, const config::NtpdConfig& config);

  // Reads the anchors and makes the resolver; nothing when that is done. Errors name the file, or
  // what is wrong in it.
  Result<void> open();
  // Callbacks come from the reactor alone. Without a resolver, which open() tried in vain, they say
  // why.
  void find_services(const std::string& pool, const net::SignatureDates& dates,
                     std::function<void(const ntp::ServiceAnswer&)> done);
  void find_addresses(const std::string& name, const net::SignatureDates& dates,
                      net::ServiceResolver::AddressDone done);

 private:
  void later(std::function<void()> call);

  net::Reactor& reactor_;
  config::NtsSrvConfig settings_;
  config::NtpResolverConfig resolver_settings_;
  std::unique_ptr<net::ServiceResolver> resolver_;
  std::string fault_;
  net::ResolverWatch<net::ServiceResolver> watch_;
  std::vector<std::function<void()>> later_;  // at most one for each source
  net::Timer later_timer_;
};

}  // namespace timepool::ntpd
