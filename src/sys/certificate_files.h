// Where a server's certificate and its key are.
#pragma once

#include <string>

namespace timepool::sys {

struct CertificateFiles {
  std::string chain;  // PEM: the certificate, and behind it those that lead to an authority
  std::string key;    // PEM, without a password
  bool operator==(const CertificateFiles&) const = default;
};

}  // namespace timepool::sys
