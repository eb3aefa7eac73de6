#include "net/tls_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>

namespace timepool::net {
namespace {

struct Words {
  std::string_view name;
  std::string_view text;
};

constexpr std::array<Words, kTlsFaultCount> kWords{{
    {"none", "nothing is wrong"},
    {"not_tls", "what came is no TLS"},
    {"version", "the other side has no TLS 1.3"},
    {"alpn", "no application protocol in common"},
    {"protocol", "a message of TLS that is malformed or not expected"},
    {"expired", "the certificate has expired"},
    {"not_yet_valid", "the certificate is not valid yet"},
    {"wrong_name", "the certificate is for other names"},
    {"self_signed", "the certificate is self-signed"},
    {"untrusted", "the certificate leads to nobody who is trusted"},
    {"pin", "the key of the certificate is not a pinned one"},
    {"certificate", "the certificate is no good"},
    {"alert", "the other side gave up"},
    {"truncated", "the connection ended too early"},
    {"internal", "TLS failed on this side"},
}};

// Alerts that the peer sent are reasons of OpenSSL from this number on.
constexpr int kAlertOffset = SSL_AD_REASON_OFFSET;

TlsFault fault_of_alert(int alert) {
  switch (alert) {
    case SSL3_AD_CLOSE_NOTIFY:
      return TlsFault::kTruncated;
    case TLS1_AD_PROTOCOL_VERSION:
      return TlsFault::kVersion;
    case TLS1_AD_NO_APPLICATION_PROTOCOL:
      return TlsFault::kAlpn;
    default:
      return TlsFault::kAlert;
  }
}

}  // namespace

std::string_view name_of(TlsFault fault) {
  return kWords[static_cast<std::size_t>(fault)].name;
}

std::string_view describe(TlsFault fault) {
  return kWords[static_cast<std::size_t>(fault)].text;
}

TlsFault fault_of_verification(long code) {
  switch (code) {
    case X509_V_OK:
      return TlsFault::kNone;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return TlsFault::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return TlsFault::kNotYetValid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return TlsFault::kWrongName;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return TlsFault::kSelfSigned;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return TlsFault::kUntrusted;
    case X509_V_ERR_APPLICATION_VERIFICATION:
      return TlsFault::kPin;
    default:
      return TlsFault::kCertificate;
  }
}

TlsFault fault_of_library_error(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return TlsFault::kInternal;
  const int reason = ERR_GET_REASON(code);
  if (reason >= kAlertOffset) return fault_of_alert(reason - kAlertOffset);
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return TlsFault::kNotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return TlsFault::kVersion;
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_CALLBACK_FAILED:  // ours refuses for want of a protocol only
      return TlsFault::kAlpn;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFault::kCertificate;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TlsFault::kTruncated;
    default:
      return TlsFault::kProtocol;
  }
}

}  // namespace timepool::net
