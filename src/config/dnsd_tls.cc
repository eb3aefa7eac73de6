#include "config/dnsd_tls.h"

#include <algorithm>

#include "config/certificate.h"

namespace timepool::config {
namespace {

constexpr std::size_t kMaxCertificates = 100;
constexpr std::size_t kMaxListen = 256;

std::string check_tls(const DnsdTlsConfig& it) {
  std::vector<Endpoint> sorted = it.listen;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end() && twice->port != 0) {
    return "listen has " + format(*twice) + " twice";
  }
  if (!it.listen.empty() && it.certificates.empty()) {
    return "certificate: one [[tls.certificate]] at least, to listen";
  }
  return "";
}

}  // namespace

Schema<DnsdTlsConfig> dnsd_tls_schema() {
  using C = DnsdTlsConfig;
  Schema<C> out;
  out.field("listen", &C::listen, list_of(endpoint(kDnsOverTlsPort, true), kMaxListen),
            "The addresses that are served by DNS over TLS, port 853 where none is given. Empty: "
            "none. Port 0 takes a free port, which the command `status` tells.")
      .tables("certificate", &C::certificates, certificate_schema_of<sys::CertificateFiles>(),
              "A certificate. A client is shown the first that has the name that it asks for, else "
              "the first with a wildcard for it, else the first of all. The files are looked at "
              "once a minute and on reload; new ones are taken when all is right with them.",
              kMaxCertificates)
      .field("resumption", &C::resumption, boolean(),
             "Give clients a ticket, so that their next connection costs neither side a "
             "signature. The keys of tickets are replaced every six hours and never leave memory.");
  add_connections_fields(out);
  out.check([](const C& it) { return check_tls(it); });
  return out;
}

}  // namespace timepool::config
