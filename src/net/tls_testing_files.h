// For tests of servers with certificates: files with those of an authority of their own.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "net/tls_testing.h"
#include "sys/certificate_files.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::net::testing {

inline CertificateWish wish_for(const std::string& name) {
  CertificateWish out;
  out.common_name = name;
  out.dns_names = {name};
  return out;
}

// An authority, and files with certificates that it signs.
class CertificateFiles {
 public:
  const TestCertificate& authority() const { return authority_; }
  sys::CertificateFiles names(const std::string& file) const {
    return {directory_.path() + "/" + file + ".pem", directory_.path() + "/" + file + ".key"};
  }
  sys::CertificateFiles write(const std::string& file, const CertificateWish& wish) const {
    const TestCertificate leaf = authority_.issue(wish);
    write_text(names(file).chain, leaf.certificate_pem());
    write_text(names(file).key, leaf.key_pem(), 0600);
    return names(file);
  }
  static void write_text(const std::string& path, std::string_view text, mode_t mode = 0644) {
    EXPECT_TRUE(sys::write_file_atomic(path, text, mode).ok());
  }

 private:
  sys::TemporaryDirectory directory_;
  TestCertificate authority_ = TestCertificate::authority("Tests");
};

}  // namespace timepool::net::testing
