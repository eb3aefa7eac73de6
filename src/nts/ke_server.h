// KeServer: the server's half of a key establishment (RFC 8915 4) without TLS and sockets: octets
// of the request in, the response's octets out, with exactly one reason. One object for one
// connection at a time; it does not allocate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/aead.h"
#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/static_vector.h"
#include "nts/cookie_maker.h"
#include "nts/key_exporter.h"
#include "nts/server_name.h"
#include "wire/nts/record.h"

namespace timepool::nts {

// Octets of the longest request that is looked at. RFC 8915 4 asks for 1,024 at least; a client of
// a pool that names sixteen servers which it has already sends up to about 4,400.
inline constexpr std::size_t kMaxKeServerRequest = 8192;
// RFC 8915 4.1.6: a server should send eight.
inline constexpr std::size_t kEstablishedCookies = 8;
// Record 1 (6), 4 (6), 1024 (4), 6 (4 + 253), 7 (6), 8 cookies (4 + 104), End (4): 1,147 octets.
inline constexpr std::size_t kMaxKeServerResponse = 1280;
// Servers that one key establishment may speak for.
inline constexpr std::size_t kMaxNtpServers = 16;

struct KeServerConfig {
  // The algorithms that we have, the best first; AES-SIV-CMAC-256 is among them (CHECKed), as RFC
  // 8915 4.1.5 demands.
  StaticVector<AeadId, kAeadCount> aeads;
  // The NTP servers that open our cookies. Without any, nothing is told: the server is at the
  // address of the key establishment, port 123. Otherwise the first one that may serve the family
  // of the connection is told, or the one that the client asks for (by name, and port if it gives
  // one). A name of "" is the address of the key establishment. CHECKs their number and names.
  std::vector<NtpServer> servers;
};

// What became of a request: metric's label, log's key, test's assertion.
enum class KeReason : std::uint8_t {
  kEstablished,
  // Well answered, without keys.
  kNoCommonProtocol,  // NTPv4 was not offered
  kNoCommonAead,      // no algorithm of ours was offered
  // Error 0
  kUnrecognisedCritical,
  kGatedRecord,  // a pool's record (9 to 12) without a token that we know
  // Error 1
  kTooLong,
  kEnded,          // the connection ended before the End of Message
  kLate,           // the time for a request was over
  kAfterEnd,       // octets behind the End of Message
  kBadRecord,      // a body of a length or content that its type does not have
  kNotCritical,    // record 0 or 1 without the critical bit
  kDuplicate,      // a second record 1, 4, 6 or 7
  kNotForClients,  // an Error, Warning or cookie
  kNoProtocol,     // no record 1
  kNoAead,         // NTPv4 is offered without record 4
  // Error 2
  kNoKeys,     // the TLS session gave no keys
  kNoCookies,  // no key to seal cookies by
};
inline constexpr std::size_t kKeReasonCount = 17;
// "established", "unrecognised_critical", ...
std::string_view name_of(KeReason reason);
// The code of the Error record that is the response; nothing when it is none.
std::optional<std::uint16_t> error_code_of(KeReason reason);

class KeServer {
 public:
  // `config` must outlive it; `family` is that of the connection.
  KeServer(const KeServerConfig& config, IpFamily family);

  // Takes octets of the request, cut anywhere. Nothing while it is not there as a whole; then the
  // reason, once, and response() is what to send before the connection is ended. Nothing may be
  // called behind that (CHECKed).
  std::optional<KeReason> feed(Bytes octets, KeyExporter& exporter, CookieMaker& cookies);
  // The client has ended the connection, or its time is over: RFC 8915 4.1.3 has an Error 1 sent.
  KeReason handle_end() { return finish(KeReason::kEnded); }
  KeReason handle_deadline() { return finish(KeReason::kLate); }

  bool done() const { return reason_.has_value(); }
  Bytes response() const { return Bytes(response_).first(response_size_); }
  // The algorithm of the keys, when it is kEstablished.
  std::optional<AeadId> aead() const { return aead_; }

 private:
  struct Request;
  KeReason finish(KeReason reason);
  KeReason read_request(Bytes message, Request& out) const;
  KeReason answer(const Request& request, KeyExporter& exporter, CookieMaker& cookies);
  KeReason write_established(const Request& request, AeadId aead, KeyExporter& exporter,
                             CookieMaker& cookies);
  const NtpServer* server_for(const Request& request) const;

  const KeServerConfig& config_;
  IpFamily family_;
  std::array<std::byte, kMaxKeServerRequest> request_;
  std::size_t request_size_ = 0;
  wire::nts::MessageEnd end_;
  std::array<std::byte, kMaxKeServerResponse> response_{};
  std::size_t response_size_ = 0;
  std::optional<KeReason> reason_;
  std::optional<AeadId> aead_;
};

}  // namespace timepool::nts
