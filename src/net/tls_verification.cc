#include "net/tls_verification.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "base/check.h"

namespace timepool::net {
namespace {

// RFC 6125 6.4: the star stands for a whole label; the subject's common name counts for nothing.
constexpr unsigned kNameRules =
    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::time_t time_of(UnixTime time) {
  return static_cast<std::time_t>(time.seconds());
}

// The error of X509_V_* by the dates of one certificate.
int check_dates(const X509* certificate, const TlsDates& dates) {
  std::time_t now = time_of(dates.time);
  if (dates.check == TlsDates::Check::kIgnored) return X509_V_OK;
  if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0) return X509_V_ERR_CERT_HAS_EXPIRED;
  if (dates.check == TlsDates::Check::kSince) return X509_V_OK;
  return X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0 ? X509_V_ERR_CERT_NOT_YET_VALID
                                                                   : X509_V_OK;
}

int check_name(X509* certificate, const TlsVerification& wanted) {
  if (wanted.address) {
    const Bytes bytes = wanted.address->bytes();
    return X509_check_ip(certificate, raw(bytes), bytes.size(), 0) == 1
               ? X509_V_OK
               : X509_V_ERR_IP_ADDRESS_MISMATCH;
  }
  return X509_check_host(certificate, wanted.name.data(), wanted.name.size(), kNameRules,
                         nullptr) == 1
             ? X509_V_OK
             : X509_V_ERR_HOSTNAME_MISMATCH;
}

int check_pins(const X509* certificate, const std::vector<KeyHash>& pins) {
  if (pins.empty()) return X509_V_OK;
  const KeyHash hash = certificate_info(*certificate).key_hash;
  const bool pinned = std::find(pins.begin(), pins.end(), hash) != pins.end();
  return pinned ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION;
}

// By the pins alone: nobody else vouches for the server, and its dates and names still hold.
int check_pinned(X509_STORE_CTX* store, const TlsVerification& wanted) {
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  int error = check_pins(leaf, wanted.options->pins);
  if (error == X509_V_OK) error = check_name(leaf, wanted);
  if (error == X509_V_OK) error = check_dates(leaf, wanted.dates);
  return error;
}

void set_rules(X509_VERIFY_PARAM* rules, const TlsVerification& wanted) {
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
  if (wanted.dates.check == TlsDates::Check::kAt) {
    X509_VERIFY_PARAM_set_time(rules, time_of(wanted.dates.time));
  } else {
    flags |= X509_V_FLAG_NO_CHECK_TIME;
  }
  X509_VERIFY_PARAM_set_flags(rules, flags);
  if (wanted.address) {
    const Bytes bytes = wanted.address->bytes();
    X509_VERIFY_PARAM_set1_ip(rules, raw(bytes), bytes.size());
    return;
  }
  X509_VERIFY_PARAM_set_hostflags(rules, kNameRules);
  X509_VERIFY_PARAM_set1_host(rules, wanted.name.data(), wanted.name.size());
}

// By all of a chain.
void narrow_dates(const STACK_OF(X509) * chain, CertificateInfo& info) {
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    const CertificateInfo above = certificate_info(*sk_X509_value(chain, i));
    info.chain_not_before = std::max(info.chain_not_before, above.not_before);
    info.chain_not_after = std::min(info.chain_not_after, above.not_after);
  }
}

int check_chain(X509_STORE_CTX* store, const TlsVerification& wanted) {
  set_rules(X509_STORE_CTX_get0_param(store), wanted);
  if (X509_verify_cert(store) != 1) {
    const int error = X509_STORE_CTX_get_error(store);
    return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
  }
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(store);
  narrow_dates(chain, *wanted.certificate);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const int error = check_dates(sk_X509_value(chain, i), wanted.dates);
    if (error != X509_V_OK) return error;
  }
  return check_pins(X509_STORE_CTX_get0_cert(store), wanted.options->pins);
}

// The words that help: which names, which dates.
std::string explain(const X509* leaf, TlsFault fault, int error) {
  const CertificateInfo info = certificate_info(*leaf);
  switch (fault) {
    case TlsFault::kExpired:
      return "it ended on " + format_utc(info.not_after, 0);
    case TlsFault::kNotYetValid:
      return "it begins on " + format_utc(info.not_before, 0);
    case TlsFault::kWrongName: {
      std::string names;
      constexpr std::size_t kMost = 5;
      for (std::size_t i = 0; i < std::min(kMost, info.dns_names.size()); ++i) {
        names += (names.empty() ? "" : ", ") + info.dns_names[i];
      }
      for (std::size_t i = 0; i < std::min(kMost, info.addresses.size()); ++i) {
        names += (names.empty() ? "" : ", ") + format(info.addresses[i]);
      }
      return names.empty() ? "it has no names" : "it is for " + names;
    }
    case TlsFault::kSelfSigned:
    case TlsFault::kUntrusted:
      return "issued by " + (info.issuer.empty() ? "nobody" : info.issuer);
    default:
      return X509_verify_cert_error_string(error);
  }
}

}  // namespace

int verify_server(x509_store_ctx_st* store, void*) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* wanted = static_cast<TlsVerification*>(SSL_get_app_data(ssl));
  CHECK(wanted != nullptr);
  wanted->certificate =
      std::make_unique<CertificateInfo>(certificate_info(*X509_STORE_CTX_get0_cert(store)));
  const bool pinned = wanted->options->pins_suffice && !wanted->options->pins.empty();
  const int error = pinned ? check_pinned(store, *wanted) : check_chain(store, *wanted);
  wanted->fault = fault_of_verification(error);
  if (error != X509_V_OK) {
    wanted->detail = explain(X509_STORE_CTX_get0_cert(store), wanted->fault, error);
  }
  const bool accepted = error == X509_V_OK || !wanted->enforced;
  X509_STORE_CTX_set_error(store, accepted ? X509_V_OK : error);
  return accepted ? 1 : 0;
}

}  // namespace timepool::net
