#include "net/tls_certificate.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "net/tls_context.h"
#include "net/tls_testing.h"

namespace timepool::net {
namespace {

using testing::CertificateWish;
using testing::KeyKind;
using testing::TestCertificate;

CertificateWish wish() {
  CertificateWish out;
  out.common_name = "time";
  out.dns_names = {"Time.Example.org", "*.example.org"};
  out.addresses = {parse_ip("192.0.2.1").value()};
  return out;
}

std::string fault_of(const std::string& chain, const std::string& key) {
  const auto read = TlsCertificate::parse(chain, key, "here");
  return read.ok() ? "" : read.error().detail;
}

TEST(TlsCertificate, says_what_it_is) {
  const TestCertificate authority = TestCertificate::authority("An authority");
  const TestCertificate leaf = authority.issue(wish());
  const auto read = TlsCertificate::parse(leaf.certificate_pem() + authority.certificate_pem(),
                                          leaf.key_pem(), "here");
  ASSERT_TRUE(read.ok()) << read.error().text();
  const CertificateInfo& info = read->info();
  EXPECT_EQ(info.subject, "CN=time");
  EXPECT_EQ(info.issuer, "CN=An authority");
  EXPECT_EQ(info.dns_names, (std::vector<std::string>{"time.example.org", "*.example.org"}));
  EXPECT_EQ(info.addresses, wish().addresses);
  EXPECT_EQ(info.not_before, wish().not_before);
  EXPECT_EQ(info.not_after, wish().not_after);
  EXPECT_EQ(info.key_type, "EC P-256");
  EXPECT_TRUE(info.valid_at(info.not_after));
  EXPECT_FALSE(info.valid_at(info.not_after + Duration::seconds(1)));
}

TEST(TlsCertificate, the_whole_chain_ends_with_its_first) {
  CertificateWish short_lived;
  short_lived.authority = true;
  short_lived.common_name = "middle";
  short_lived.not_after = UnixTime::from_seconds(1'800'000'000);
  const TestCertificate authority = TestCertificate::authority("root");
  const TestCertificate middle = authority.issue(short_lived);
  const TestCertificate leaf = middle.issue(wish());
  const auto read = TlsCertificate::parse(leaf.certificate_pem() + middle.certificate_pem(),
                                          leaf.key_pem(), "here");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->chain_not_after(), short_lived.not_after);
}

TEST(TlsCertificate, refuses_rubbish) {
  const TestCertificate leaf = TestCertificate::self_signed(wish());
  const std::string chain = leaf.certificate_pem();
  EXPECT_EQ(fault_of("", leaf.key_pem()), "no certificate in PEM");
  EXPECT_EQ(fault_of("rubbish", leaf.key_pem()), "no certificate in PEM");
  EXPECT_EQ(fault_of(chain.substr(0, chain.size() / 2), leaf.key_pem()), "no certificate in PEM");
  EXPECT_EQ(fault_of(chain + chain.substr(0, chain.size() / 2), leaf.key_pem()),
            "certificate 2 is damaged");
  EXPECT_EQ(fault_of(chain, ""), "no private key in PEM, or one under a password");
  EXPECT_EQ(fault_of(chain, chain), "no private key in PEM, or one under a password");
}

TEST(TlsCertificate, refuses_the_key_of_another) {
  const TestCertificate leaf = TestCertificate::self_signed(wish());
  const TestCertificate other = TestCertificate::self_signed(wish());
  EXPECT_EQ(fault_of(leaf.certificate_pem(), other.key_pem()),
            "the key is not that of the certificate");
}

TEST(TlsCertificate, refuses_a_chain_out_of_order) {
  const TestCertificate authority = TestCertificate::authority("a");
  const TestCertificate stranger = TestCertificate::authority("b");
  const TestCertificate leaf = authority.issue(wish());
  EXPECT_EQ(fault_of(leaf.certificate_pem() + stranger.certificate_pem(), leaf.key_pem()),
            "certificate 2 is not the issuer of the one before it");
}

TEST(TlsCertificate, refuses_more_than_a_chain_has) {
  const TestCertificate leaf = TestCertificate::self_signed(wish());
  std::string many;
  for (std::size_t i = 0; i <= TlsCertificate::kMaxChain; ++i) many += leaf.certificate_pem();
  EXPECT_EQ(fault_of(many, leaf.key_pem()), "more than 10 certificates");
}

TEST(TlsCertificate, a_key_that_is_too_short_is_told_when_it_would_be_used) {
  CertificateWish weak = wish();
  weak.key = KeyKind::kRsa1024;
  const TestCertificate leaf = TestCertificate::self_signed(weak);
  const auto read = TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "here");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->info().key_type, "RSA 1024");
  const auto context = TlsServerContext::create({*read});
  ASSERT_FALSE(context.ok());
  EXPECT_EQ(context.error().detail, "ee key too small");
}

TEST(TlsCertificate, pins_are_read_in_both_ways) {
  const TestCertificate leaf = TestCertificate::self_signed(wish());
  const auto read = TlsCertificate::parse(leaf.certificate_pem(), leaf.key_pem(), "here");
  const KeyHash hash = read->info().key_hash;
  EXPECT_EQ(*parse_key_hash(to_hex(hash)), hash);
  EXPECT_EQ(*parse_key_hash(to_base64(hash)), hash);
  EXPECT_FALSE(parse_key_hash("").ok());
  EXPECT_FALSE(parse_key_hash(to_hex(hash).substr(2)).ok());
}

TEST(TlsCertificate, a_star_is_one_whole_label) {
  EXPECT_TRUE(name_covers("a.example", "a.example"));
  EXPECT_TRUE(name_covers("*.example", "a.example"));
  EXPECT_FALSE(name_covers("*.example", "a.b.example"));
  EXPECT_FALSE(name_covers("*.example", ".example"));
  EXPECT_FALSE(name_covers("*.example", "example"));
  EXPECT_FALSE(name_covers("a*.example", "ab.example"));
}

}  // namespace
}  // namespace timepool::net
