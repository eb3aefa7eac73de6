// TlsServerContext and TlsClientContext: what all connections of one side share. TLS 1.3 and
// nothing older, one application protocol, no early data, and no tickets (RFC 8915 3) unless a
// server is to give them. Immutable once made; any thread may make sessions of them
// (tls_session.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "net/tls_certificate.h"

struct ssl_ctx_st;
struct ssl_st;

namespace timepool::net {

// RFC 8915 4.
inline constexpr std::string_view kNtsKeProtocol = "ntske/1";

// RFC 7858, as IANA has it.
inline constexpr std::string_view kDnsOverTlsProtocol = "dot";

struct TlsServerOptions {
  std::string protocol = std::string(kNtsKeProtocol);  // 1 to 255 octets
  // False: a client that offers no protocols at all is taken too. RFC 7858 knows of none, and many
  // of its clients offer none.
  bool protocol_required = true;
  // True: a client that names no server, or one that no certificate has, is refused
  // (unrecognized_name); a challenge of RFC 8737 is shown to nobody else.
  bool name_required = false;
  // Tickets given on each connection, with keys of this context alone, for `ticket_life`.
  unsigned tickets = 0;
  Duration ticket_life = Duration::seconds(6 * 3600);
};

class TlsServerContext {
 public:
  static constexpr std::size_t kMaxCertificates = 100;

  // The client's server name chooses among `certificates` (1 to kMaxCertificates): the first that
  // has the name exactly, else the first with a wildcard for it, else the first of all. Errors:
  // kInvalid when TLS can't use a certificate (its key is too short).
  static Result<std::shared_ptr<const TlsServerContext>> create(
      std::vector<TlsCertificate> certificates, TlsServerOptions options = {});

  const std::vector<TlsCertificate>& certificates() const { return certificates_; }
  // The index of the one that a client that asks for `server_name` is shown; empty: it named none.
  std::size_t chosen(std::string_view server_name) const;
  // Whether one of them has it.
  bool has_name(std::string_view server_name) const;

 private:
  friend class TlsSession;
  friend struct TlsServerCallbacks;
  friend std::uint64_t serve_bare_tls(int listener, const TlsServerContext& context,
                                      Duration duration);
  TlsServerContext() = default;
  void index_names();
  ssl_ctx_st* first() const { return contexts_.front().get(); }

  std::vector<TlsCertificate> certificates_;
  TlsServerOptions options_;
  std::vector<std::shared_ptr<ssl_ctx_st>> contexts_;  // one for each certificate
  std::unordered_map<std::string, std::size_t> by_name_;
};

struct TlsClientOptions {
  // PEM files of the authorities that are trusted, and further ones as PEM text. Also a server's
  // own certificate may stand there.
  std::vector<std::string> ca_files;
  std::string ca_pem;
  // When there are some, the server's key must be one of them.
  std::vector<KeyHash> pins;
  // The pins alone say who is trusted: the chain may lead to nobody. Needs pins.
  bool pins_suffice = false;
  std::string protocol = std::string(kNtsKeProtocol);
  bool operator==(const TlsClientOptions&) const = default;
};

class TlsClientContext {
 public:
  // Where Debian has all authorities in one file (package ca-certificates).
  static constexpr std::string_view kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
  // The system's is 0.2 MB.
  static constexpr std::size_t kMaxAuthorityFile = 8 << 20;
  static constexpr std::size_t kMaxPins = 16;

  // Errors: those of reading a file; kInvalid when there is no certificate in one, or neither an
  // authority nor a pin to trust.
  static Result<std::shared_ptr<const TlsClientContext>> create(TlsClientOptions options);

  const TlsClientOptions& options() const { return options_; }

 private:
  friend class TlsSession;
  TlsClientContext() = default;

  TlsClientOptions options_;
  std::shared_ptr<ssl_ctx_st> context_;
};

// How the dates of certificates are judged. A machine may not know the time yet, and asks for it.
struct TlsDates {
  enum class Check : unsigned char {
    kAt,       // `time` lies within them
    kSince,    // it is `time` or later: what ended before is refused (RFC 8915 8.5)
    kIgnored,  // they are told only
  };
  Check check = Check::kIgnored;
  UnixTime time;
};

}  // namespace timepool::net
