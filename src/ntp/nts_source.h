// NtsSettings: how a source's servers prove themselves by Network Time Security (RFC 8915): with
// whom keys are established, and whom to believe that it is them. TLS is the caller's; the cores
// carry these to where it is done.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/aead.h"
#include "base/ip.h"
#include "nts/certificate_dates.h"
#include "nts/establishment.h"

namespace timepool::ntp {

// RFC 8915 7.1: ntske.
inline constexpr std::uint16_t kKeyPort = 4460;

// What names the servers behind a source's name.
enum class ServerLookup : std::uint8_t {
  kAddresses,  // its addresses: all show a certificate for the name itself
  kServices,   // its SRV records: each target is a server with a name of its own (ntp/service.h)
  kEither,     // SRV records where DNS proves them, else its addresses
};
// Which SRV records are followed.
enum class ServiceTrust : std::uint8_t {
  kSecure,          // those that DNSSEC proves
  kSecureOrSuffix,  // and others, whose targets are below the pool's own suffix
};

struct NtsSettings {
  // Replies are believed by NTS only, and nothing else is ever sent to the source (KEC8).
  bool required = false;
  std::uint16_t port = kKeyPort;  // of key establishments; TCP
  // The name in the certificate; empty: the source's own.
  std::string certificate_name;
  std::vector<std::string> ca_files;  // empty: the system's authorities
  std::vector<std::string> pins;      // key hashes, as text
  std::vector<AeadId> aeads = {AeadId::kAes128GcmSiv, AeadId::kAesSivCmac256};  // the best first
  ServerLookup lookup = ServerLookup::kAddresses;
  ServiceTrust trust = ServiceTrust::kSecure;
  std::string suffix = "*.m.{pool}";  // one label for "*", the source's name for "{pool}"
  bool operator==(const NtsSettings&) const = default;
};

// Names one key establishment for as long as the program runs.
using EstablishmentId = std::uint32_t;

// The answer to an EstablishAction.
struct EstablishmentResult {
  bool established = false;
  // Nothing was sent: there is no way there, no descriptor. It does not count as an attempt.
  bool unsent = false;
  nts::Establishment keys;  // when established
  // Of the certificate that proved the server, and how they were judged.
  nts::CertificateDates certificate;
  // The server that the cookies are for: the address that the key establishment named, or one of
  // the name that it named, or else its own (KEC5, KEC6).
  Endpoint server;
};

}  // namespace timepool::ntp
