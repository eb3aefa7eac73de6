#include "monitord/name_lookups.h"

#include "sys/clock.h"

namespace timepool::monitord {

Result<std::unique_ptr<NameLookups>> NameLookups::create(net::Reactor& reactor,
                                                         const std::vector<Endpoint>& servers) {
  net::ResolverOptions options;
  options.servers = servers;
  // A name that was registered, or moved, since the last check has to be seen by this one.
  options.cache = false;
  std::unique_ptr<net::Resolver> resolver = TRY(net::Resolver::create(options));
  return std::unique_ptr<NameLookups>(new NameLookups(reactor, std::move(resolver)));
}

void NameLookups::find(std::string_view name, net::LookupFamily family,
                       net::Resolver::Callback done) {
  resolver_->lookup(name, family, sys::mono_now(), std::move(done));
  watch_.follow(*resolver_);
}

}  // namespace timepool::monitord
