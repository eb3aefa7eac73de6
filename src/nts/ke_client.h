// KeClient: the client's half of a key establishment (RFC 8915 4) without TLS and sockets: the
// request's octets, and what the octets of the response mean. One object for one connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/static_vector.h"
#include "nts/establishment.h"
#include "nts/key_exporter.h"
#include "nts/server_name.h"
#include "wire/nts/record.h"

namespace timepool::nts {

// RFC 8915 4: a client should accept at least as many octets.
inline constexpr std::size_t kMaxKeResponse = 65536;
// Servers that a request names as already in use (record 13 of the pool's draft).
inline constexpr std::size_t kMaxDeniedServers = 16;
// 6 + 4 + 2 * 2 + 4 + (4 + 254) + 6 + 16 * (4 + 254) + 4 = 4,414 octets.
inline constexpr std::size_t kMaxKeRequest = 4480;

struct KeClientConfig {
  // The algorithms that we take, the best first; at least one (CHECKed).
  StaticVector<AeadId, kAeadCount> aeads;
  // Records 6 and 7, a wish: "" and 0 are none. CHECKs is_server_name().
  std::string ntp_server;
  std::uint16_t ntp_port = 0;
  // Record 13, one each: the names exactly as records 6 had them. CHECKs their number.
  std::vector<std::string> denied;
};

// Why there is no Establishment; each has a name for metrics and a sentence for people.
enum class KeClientError : std::uint8_t {
  kTooLong,               // more than kMaxKeResponse octets
  kIncomplete,            // the connection ended before the End of Message
  kAfterEnd,              // octets behind the End of Message
  kBadEnd,                // it has a body, or is not critical
  kBadRecord,             // a body of a length that its type does not have
  kNotCritical,           // record 1, 2 or 3 without the critical bit
  kUnrecognisedCritical,  // of a type that we do not know
  kErrorCritical,         // Error 0: the server did not know a record of ours
  kErrorBadRequest,       // Error 1
  kErrorInternal,         // Error 2: the server is out of order; it may be asked again
  kErrorOther,            // Error with a code that we do not know
  kWarning,               // none is defined: RFC 8915 4.1.4 makes it an error
  kNoProtocol,            // no record 1
  kDuplicate,             // a second record 1, 4, 6 or 7
  kProtocolNotOffered,    // a protocol other than NTPv4
  kNoCommonProtocol,      // it does not serve NTPv4
  kNoAead,                // no record 4
  kManyAeads,             // more than one algorithm
  kAeadNotOffered,        // one that we did not offer
  kNoCommonAead,          // it has none of those that we offered
  kNoCookies,             // none, or none of a length that we take
  kBadServerName,         // record 6 with neither an address nor a name
  kBadPort,               // record 7 with port 0
  kNoKeys,                // the TLS session gave no keys
};
inline constexpr std::size_t kKeClientErrorCount = 24;
// "too_long", "unrecognised_critical", ...
std::string_view name_of(KeClientError error);
// "the server sent an Error record: it has not understood our request (code 1)", ...
std::string_view describe(KeClientError error);
// RFC 8915 4.1.3: false when the same request would fail again.
bool may_retry_unmodified(KeClientError error);

class KeClient {
 public:
  explicit KeClient(const KeClientConfig& config);

  // To be sent as a whole when TLS is ready.
  Bytes request() const { return Bytes(request_); }

  // Takes octets of the response, cut anywhere. Nothing while it is not there as a whole; then the
  // result, once. Nothing may be fed behind that (CHECKed).
  std::optional<Result<Establishment, KeClientError>> feed(Bytes octets, KeyExporter& exporter);
  // What the connection's end means before a result: kIncomplete.
  KeClientError handle_end();
  bool done() const { return done_; }

  // Of the first Error record that came (RFC 8915 4.1.3), whatever else did.
  std::optional<std::uint16_t> error_code() const;
  // All octets that came, for people who look at a server.
  Bytes response() const { return Bytes(response_); }

 private:
  StaticVector<AeadId, kAeadCount> aeads_;
  std::vector<std::byte> request_;
  std::vector<std::byte> response_;
  wire::nts::MessageEnd end_;
  bool done_ = false;
};

}  // namespace timepool::nts
