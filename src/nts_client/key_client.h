// KeyClient: key establishments of a client of NTS (RFC 8915 4) on the reactor: TCP, TLS, the
// records, with a deadline for all of it. A bounded number at once. One thread, never blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "net/reactor.h"
#include "net/tls_exchange.h"
#include "nts/ke_client.h"

namespace timepool::nts_client {

struct KeyRequest {
  Endpoint server;  // of the key establishment
  // The name that the server is asked for and that its certificate must have, or an address as
  // text, which the certificate must have; with the dates that its certificate must have.
  net::TlsPeer peer;
  std::shared_ptr<const net::TlsClientContext> tls;
  nts::KeClientConfig records;
};

enum class KeyOutcome : std::uint8_t {
  kEstablished,
  kRefused,      // nobody listens there
  kUnreachable,  // no way there
  kTimeout,
  kTls,      // see KeyResult::tls_fault
  kEnded,    // the connection ended before the response was whole
  kRecords,  // see KeyResult::record_error
  kSystem,   // no descriptor, memory, ...
};
inline constexpr std::size_t kKeyOutcomeCount = 8;

struct KeyResult {
  KeyOutcome outcome = KeyOutcome::kSystem;
  net::TlsFault tls_fault = net::TlsFault::kNone;
  std::optional<nts::KeClientError> record_error;
  std::optional<std::uint16_t> error_code;  // of the first Error record that came
  // For a person, "" when it is established: "the certificate has expired: it ended on ...".
  std::string text;
  std::optional<nts::Establishment> establishment;
  // Of the server, as soon as it was seen: RFC 8915 8.5 has its dates compared with the time that
  // NTP then brings.
  std::optional<net::CertificateInfo> certificate;
  net::TlsStep step = net::TlsStep::kConnect;  // where it ended
  Duration connected;                          // since the start; zero when it did not come to it
  Duration opened;                             // TLS
  Duration total;

  bool established() const { return outcome == KeyOutcome::kEstablished; }
};
// One word for metrics and logs: "established", "refused", "timeout", "tls_expired",
// "record_no_cookies", ...
std::string label_of(const KeyResult& result);

class KeyClient {
 public:
  // Each holds a descriptor and up to about 200 KiB.
  static constexpr std::size_t kMaxAtOnce = 16;  // where nothing else is wanted
  static constexpr Duration kDefaultTimeout = Duration::seconds(5);
  using Id = std::uint64_t;
  using Done = std::function<void(const KeyResult&)>;

  explicit KeyClient(net::Reactor& reactor, Duration timeout = kDefaultTimeout,
                     std::size_t max_at_once = kMaxAtOnce);
  ~KeyClient();
  KeyClient(const KeyClient&) = delete;
  KeyClient& operator=(const KeyClient&) = delete;

  // Begins one. `done` is called once, from the reactor and never from here; it may start and
  // cancel others. Nothing when `max_at_once` are under way.
  std::optional<Id> start(KeyRequest request, Done done);
  // `done` will not be called. Nothing happens when it was.
  void cancel(Id id);
  std::size_t under_way() const { return exchanges_.size(); }

 private:
  struct Exchange;
  void finish(Id id, const net::TlsExchangeResult& result);

  net::Reactor& reactor_;
  Duration timeout_;
  std::size_t max_at_once_;
  Id next_ = 1;
  std::map<Id, std::unique_ptr<Exchange>> exchanges_;
};

}  // namespace timepool::nts_client
