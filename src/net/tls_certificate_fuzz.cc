// Any text as a chain of certificates, as an authority gives it: an error, or a chain whose facts
// can be told. The first octet says whether the key is that of the test's own certificate, and
// whether this one stands before the text.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/tls_certificate.h"
#include "net/tls_testing.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

constexpr unsigned kOwnFirst = 1;
constexpr unsigned kNoKey = 2;

struct Own {
  std::string certificate;
  std::string key;
};

const Own& own() {
  static const Own made = [] {
    net::testing::CertificateWish wish;
    wish.dns_names = {"time.example.org"};
    const auto it = net::testing::TestCertificate::self_signed(wish);
    return Own{it.certificate_pem(), it.key_pem()};
  }();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool own_first = (data[0] & kOwnFirst) != 0;
  const std::string chain = (own_first ? own().certificate : "") + std::string(text);
  const std::string key = (data[0] & kNoKey) != 0 ? std::string(text) : own().key;
  const auto certificate = net::TlsCertificate::parse(chain, key, "fuzz");
  if (!certificate.ok()) {
    CHECK(certificate.error().code == ErrorCode::kInvalid);
    CHECK(certificate.error().text().starts_with("fuzz"));
  } else {
    const net::CertificateInfo& info = certificate->info();
    CHECK(info.dns_names.size() + info.addresses.size() <= net::CertificateInfo::kMaxNames);
    CHECK(certificate->chain_not_after() <= info.not_after);
    CHECK(certificate->key() != nullptr && certificate->leaf() != nullptr);
  }
  const auto hash = net::parse_key_hash(text);
  CHECK(hash.ok() || !hash.error().text().empty());
  return 0;
}
