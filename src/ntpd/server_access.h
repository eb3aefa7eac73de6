// ServerAccess: [server.access] as the workers need it: its files are read, its prefixes compiled,
// its interfaces found. And [server.limits] as the limiter takes it. Main thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/ntpd_access.h"
#include "ntp/server/access_list.h"
#include "ntp/server/rate_limiter.h"

namespace timepool::ntpd {

// The largest file of prefixes: a million IPv6 prefixes.
inline constexpr std::size_t kMaxPrefixFileBytes = 64 << 20;

class ServerAccess {
 public:
  // Takes in `config`, or changes nothing and says which file and line is wrong.
  Result<void> load(const config::NtpAccessConfig& config);

  // The rules with the interfaces as they are numbered now; null: everybody is served. The same
  // pointer while nothing changes.
  std::shared_ptr<const ntp::AccessList> list();
  // Prefixes in use, those of all interfaces too.
  std::size_t prefixes() const;
  // Interfaces with rules that are not there.
  std::vector<std::string> missing() const;

 private:
  struct Interface {
    std::string name;
    std::shared_ptr<const ntp::AccessRules> rules;
    std::uint32_t index = 0;
  };

  std::shared_ptr<const ntp::AccessRules> general_;
  std::vector<Interface> interfaces_;
  std::shared_ptr<const ntp::AccessList> list_;
};

// Every prefix that may be served by `config`, on whatever interface, its files included; the whole
// of both families where nobody is named. What is denied within them is not left out.
Result<std::vector<Prefix>> audience_of(const config::NtpAccessConfig& config);

// What each of `workers` workers limits: a client is always the same worker's, only the bucket of
// newcomers is shared out. Nobody is exempt without prefixes.
ntp::LimitSettings limit_settings(const config::NtpLimitsConfig& config, unsigned workers);
// How many clients each remembers.
std::size_t clients_of_worker(const config::NtpLimitsConfig& config, unsigned workers);

}  // namespace timepool::ntpd
