#include "certificates/challenge_board.h"

#include <span>
#include <utility>

#include "acme/resources.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "net/tls_certificate.h"

namespace timepool::certificates {
namespace {

Result<net::TlsCertificate> alpn_certificate(const acme::Challenge& challenge) {
  const std::string& proof = challenge.key_authorization;
  const auto made = TRY(crypto::make_alpn_certificate(
      challenge.name.value, crypto::sha256(std::as_bytes(std::span(proof.data(), proof.size()))),
      sys::unix_now()));
  return net::TlsCertificate::parse(made.certificate, made.key, challenge.name.value);
}

}  // namespace

ChallengeBoard::ChallengeBoard(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const auto identifier = acme::identifier_of(name); identifier.ok()) {
      names_.push_back(identifier->value);
    }
  }
  withdraw();
}

Result<void> ChallengeBoard::present(const std::vector<acme::Challenge>& challenges) {
  auto live = std::make_shared<Live>();
  live->http.names = names_;
  std::vector<net::TlsCertificate> certificates;
  for (const acme::Challenge& it : challenges) {
    if (it.type == acme::ChallengeType::kHttp01) {
      live->http.proofs[it.token] = {it.name.value, it.key_authorization};
    } else {
      certificates.push_back(TRY(alpn_certificate(it)));
    }
  }
  if (!certificates.empty()) {
    net::TlsServerOptions options;
    options.protocol = kAcmeTlsProtocol;
    options.name_required = true;
    live->tls = TRY(net::TlsServerContext::create(std::move(certificates), options));
  }
  publish(std::move(live));
  return {};
}

void ChallengeBoard::withdraw() {
  auto live = std::make_shared<Live>();
  live->http.names = names_;
  publish(std::move(live));
}

void ChallengeBoard::publish(std::shared_ptr<const Live> live) {
  const std::lock_guard lock(mutex_);
  live_ = std::move(live);
}

std::shared_ptr<const ChallengeBoard::Live> ChallengeBoard::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

}  // namespace timepool::certificates
