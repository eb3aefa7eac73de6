// KeySource: the key establishments of the daemon's own sources (RFC 8915 4): their authorities and
// pins as they are configured, and what became of each. Main thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ntp/source.h"
#include "nts_client/key_client.h"

namespace timepool::ntpd {

using nts_client::KeyClient;
using nts_client::KeyOutcome;
using nts_client::KeyRequest;
using nts_client::KeyResult;

class KeySource {
 public:
  // More kinds of failure are counted together, as "other".
  static constexpr std::size_t kMaxLabels = 64;
  using Done = std::function<void(const KeyResult&)>;

  explicit KeySource(net::Reactor& reactor, Duration timeout = KeyClient::kDefaultTimeout)
      : client_(reactor, timeout) {}

  // Establishes keys with `server` by the settings of the source; certificates are judged by
  // `dates`. `done` is called once, from the reactor and never from here. Errors: those of the
  // source's settings (no file of authorities, no such pin), kExhausted when too many are under
  // way.
  Result<void> establish(const ntp::SourceConfig& source, const Endpoint& server,
                         const nts::DateRule& dates, Done done);
  // How often each came: "established", "timeout", "tls_expired", ...
  const std::map<std::string, std::uint64_t>& outcomes() const { return outcomes_; }

 private:
  static Result<std::shared_ptr<const net::TlsClientContext>> context_of(
      const ntp::NtsSettings& settings);
  void count(const std::string& label);

  KeyClient client_;
  std::map<std::string, std::uint64_t> outcomes_;
};

}  // namespace timepool::ntpd
