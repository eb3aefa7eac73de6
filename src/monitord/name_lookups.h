// NameLookups: addresses of names on the reactor, by the system's resolver or by configured ones.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "net/reactor.h"
#include "net/resolver.h"
#include "net/resolver_watch.h"

namespace timepool::monitord {

class NameLookups {
 public:
  // No `servers`: the system's.
  static Result<std::unique_ptr<NameLookups>> create(net::Reactor& reactor,
                                                     const std::vector<Endpoint>& servers);

  // `done` is called once, from the reactor, unless this is destroyed before; it must not do that.
  void find(std::string_view name, net::LookupFamily family, net::Resolver::Callback done);

 private:
  NameLookups(net::Reactor& reactor, std::unique_ptr<net::Resolver> resolver)
      : resolver_(std::move(resolver)), watch_(reactor) {}

  std::unique_ptr<net::Resolver> resolver_;
  net::ResolverWatch<net::Resolver> watch_;
};

}  // namespace timepool::monitord
