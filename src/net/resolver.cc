#include "net/resolver.h"

#include <poll.h>

#include <algorithm>

#include "net/resolver_backends.h"
#include "sys/clock.h"

namespace timepool::net {

std::string_view name_of(LookupStatus status) {
  switch (status) {
    case LookupStatus::kOk:
      return "ok";
    case LookupStatus::kNxDomain:
      return "nxdomain";
    case LookupStatus::kNoData:
      return "nodata";
    case LookupStatus::kServFail:
      return "servfail";
    case LookupStatus::kTimeout:
      return "timeout";
    case LookupStatus::kBadName:
      return "bad_name";
    case LookupStatus::kBusy:
      return "busy";
  }
  return "unknown";
}

Result<std::unique_ptr<Resolver>> Resolver::create(const ResolverOptions& options) {
  if (options.servers.empty()) return make_system_resolver(options);
  if (!options.threads) {
    return fail(Error{ErrorCode::kInvalid, "[resolver] servers",
                      "needs a helper thread, and threads are not allowed here"});
  }
  return make_unbound_resolver(options);
}

Result<LookupResult> lookup_blocking(std::string_view name, LookupFamily family,
                                     const ResolverOptions& options) {
  const std::unique_ptr<Resolver> resolver = TRY(Resolver::create(options));
  std::optional<LookupResult> result;
  resolver->lookup(name, family, sys::mono_now(),
                   [&](const LookupResult& found) { result = found; });
  // It ends: every look-up has a deadline.
  while (!result) {
    const Duration left = resolver->next_deadline() - sys::mono_now();
    const auto ms = std::clamp<std::int64_t>(left.ns() / 1'000'000 + 1, 0, 1000);
    pollfd entry{resolver->fd(), POLLIN, 0};
    static_cast<void>(poll(&entry, 1, left.ns() <= 0 ? 0 : static_cast<int>(ms)));
    resolver->process(sys::mono_now());
  }
  return std::move(*result);
}

}  // namespace timepool::net
