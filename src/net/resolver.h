// Resolver: host names to addresses without blocking the daemon's loop.
//
// Two back ends. Without configured servers the system's own resolver answers (getaddrinfo, so
// /etc/hosts, nsswitch and resolv.conf count), asked in helper threads, or within process() where
// there are no threads. With servers set, libunbound asks these and nothing else, keeps answers for
// their TTL and no longer, follows CNAMEs and falls back to TCP; the servers may be recursive ones
// or authoritative for what is asked, on any port. DNSSEC is not validated.
//
// For one thread: the one that calls process(). It does so when fd() is readable and when
// next_deadline() has passed; callbacks come from there alone, never from lookup(). A callback may
// start and cancel look-ups but not destroy the resolver.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"

namespace timepool::net {

enum class LookupStatus : std::uint8_t {
  kOk,        // there is at least one address
  kNxDomain,  // there is no such name (getaddrinfo does not tell this from kNoData everywhere)
  kNoData,    // the name has no address of the wanted family
  kServFail,  // the servers failed, refused or could not be reached: may work later
  kTimeout,   // no answer within ResolverOptions::timeout
  kBadName,   // not a host name
  kBusy,      // more look-ups at once than kMaxLookups
};
// "ok", "nxdomain", ...
std::string_view name_of(LookupStatus status);

enum class LookupFamily : std::uint8_t { kBoth, kV4, kV6 };

struct LookupResult {
  LookupStatus status = LookupStatus::kServFail;
  std::vector<IpAddress> addresses;  // each once; IPv4 and IPv6; at most kMaxAddresses
  // How long this may be believed; the system's resolver does not say.
  std::optional<Duration> ttl;
};

struct ResolverOptions {
  std::vector<Endpoint> servers = {};  // empty: the system's resolver
  Duration timeout = Duration::seconds(5);
  // False where no threads may be started: then only the system's resolver works, and process()
  // blocks in it.
  bool threads = true;
  // False: `servers` are asked each time, whatever they answered a second ago.
  bool cache = true;
};

using LookupId = std::uint64_t;

class Resolver {
 public:
  // Each holds a callback and a name; a daemon has far fewer sources.
  static constexpr std::size_t kMaxLookups = 1024;
  static constexpr std::size_t kMaxAddresses = 64;
  using Callback = std::function<void(const LookupResult& result)>;

  // Errors: kInvalid for options that exclude each other, kSystem.
  static Result<std::unique_ptr<Resolver>> create(const ResolverOptions& options);
  virtual ~Resolver() = default;

  // `name` is a host name, or an address, which is its own answer. The callback is called exactly
  // once, unless cancel() comes first.
  virtual LookupId lookup(std::string_view name, LookupFamily family, MonoTime now,
                          Callback callback) = 0;
  // No effect on a look-up that has ended.
  virtual void cancel(LookupId id) = 0;
  // To be polled for reading; -1 when there is none and next_deadline() says it all.
  virtual int fd() const = 0;
  // When process() is wanted at the latest; MonoTime::max() while nothing is under way.
  virtual MonoTime next_deadline() const = 0;
  virtual void process(MonoTime now) = 0;
};

// Asks once and waits: for command lines, never in a daemon's loop.
Result<LookupResult> lookup_blocking(std::string_view name, LookupFamily family,
                                     const ResolverOptions& options);

}  // namespace timepool::net
