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

std::vector<std::string> values_of(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    if (const auto identifier = acme::identifier_of(name); identifier.ok()) {
      out.push_back(identifier->value);
    }
  }
  return out;
}

}  // namespace

ChallengeBoard::ChallengeBoard(const std::vector<std::string>& names) : names_(values_of(names)) {
  publish({});
}

void ChallengeBoard::set_names(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  names_ = values_of(names);
  auto next = std::make_shared<Live>(*live_);
  next->http.names = names_;
  live_ = std::move(next);
}

Result<void> ChallengeBoard::present(const std::vector<acme::Challenge>& challenges) {
  Live live;
  std::vector<net::TlsCertificate> certificates;
  for (const acme::Challenge& it : challenges) {
    if (it.type == acme::ChallengeType::kHttp01) {
      live.http.proofs[it.token] = {it.name.value, it.key_authorization};
    } else {
      certificates.push_back(TRY(alpn_certificate(it)));
    }
  }
  if (!certificates.empty()) {
    net::TlsServerOptions options;
    options.protocol = kAcmeTlsProtocol;
    options.name_required = true;
    live.tls = TRY(net::TlsServerContext::create(std::move(certificates), options));
  }
  publish(std::move(live));
  return {};
}

void ChallengeBoard::withdraw(Proved /*proved*/) {
  publish({});
}

void ChallengeBoard::publish(Live live) {
  const std::lock_guard lock(mutex_);
  live.http.names = names_;
  live_ = std::make_shared<const Live>(std::move(live));
}

std::shared_ptr<const ChallengeBoard::Live> ChallengeBoard::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

}  // namespace timepool::certificates
