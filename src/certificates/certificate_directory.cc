#include "certificates/certificate_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "acme/renewal_info.h"
#include "acme/resources.h"
#include "base/hex.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "sys/file.h"
#include "sys/secret_file.h"

namespace timepool::certificates {
namespace {

// A certificate that begins a little later than our clock says is in force for those whose clocks
// are ahead, and soon for all.
constexpr Duration kSkew = Duration::seconds(3600);
constexpr std::size_t kIdOctets = 8;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void wipe(std::string& text) {
  crypto::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
}

std::string id_of(std::string_view authority) {
  return to_hex(Bytes(crypto::sha256(bytes_of(authority))).first(kIdOctets));
}

bool covers(const net::CertificateInfo& info, const acme::Identifier& name) {
  if (name.type == "ip") {
    const auto address = parse_ip(name.value);
    return address.ok() && std::find(info.addresses.begin(), info.addresses.end(), *address) !=
                               info.addresses.end();
  }
  return std::any_of(info.dns_names.begin(), info.dns_names.end(),
                     [&](const std::string& it) { return net::name_covers(it, name.value); });
}

}  // namespace

Result<void> CertificateDirectory::open() const {
  TRY(sys::make_directories(path_, 0700));
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) return fail(system_error(errno, "stat " + path_));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Error{ErrorCode::kDenied, path_, "others may write in it: chmod 700"});
  }
  return {};
}

std::string CertificateDirectory::account_path(std::string_view authority) const {
  return path_ + "/account-" + id_of(authority) + ".pem";
}

std::string CertificateDirectory::next_account_path(std::string_view authority) const {
  return path_ + "/account-" + id_of(authority) + ".next.pem";
}

Result<acme::SavedState> CertificateDirectory::read_state() const {
  const auto text = sys::read_file(state_path(), acme::kMaxStateText);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return acme::SavedState();
    return fail(text.error());
  }
  auto state = acme::parse_state(*text);
  if (state.ok()) return std::move(state).value();
  return fail(Error{ErrorCode::kCorrupt, state_path(), std::string(name_of(state.error()))});
}

Result<void> CertificateDirectory::write_state(const acme::SavedState& state) const {
  return sys::write_file_atomic(state_path(), acme::format_state(state), 0600);
}

Result<std::optional<net::TlsCertificate>> CertificateDirectory::read_certificate() const {
  auto text = sys::read_secret_file(certificate_path(), kMaxCertificateFile);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return std::optional<net::TlsCertificate>();
    return fail(text.error());
  }
  auto parsed = net::TlsCertificate::parse(*text, *text, certificate_path());
  wipe(*text);
  return std::optional(TRY(parsed));
}

Result<void> CertificateDirectory::write_certificate(std::string_view chain,
                                                     std::string_view key) const {
  TRY(net::TlsCertificate::parse(chain, key, certificate_path()));
  std::string both = std::string(chain);
  if (!both.ends_with('\n')) both += '\n';
  both.reserve(both.size() + key.size());
  both += key;
  auto written = sys::write_file_atomic(certificate_path(), both, 0600);
  wipe(both);
  return written;
}

Result<net::TlsCertificate> judge_issued(std::string_view chain, std::string_view key,
                                         const std::vector<acme::Identifier>& names, UnixTime now) {
  const std::string place = "issued certificate";
  auto out = TRY(net::TlsCertificate::parse(chain, key, place));
  const net::CertificateInfo& info = out.info();
  const auto refuse = [&](std::string why) {
    return fail(Error{ErrorCode::kInvalid, place, std::move(why)});
  };
  for (const acme::Identifier& name : names) {
    if (!covers(info, name)) return refuse("it is not for " + name.value);
  }
  if (info.not_before > now + kSkew) {
    return refuse("it is not valid before " + format_utc(info.not_before, 0));
  }
  if (out.chain_not_after() <= now) {
    return refuse("it expired on " + format_utc(out.chain_not_after(), 0));
  }
  return out;
}

acme::SavedCertificate saved_certificate(const net::TlsCertificate& certificate,
                                         std::string_view chain, std::string directory) {
  const net::CertificateInfo& info = certificate.info();
  acme::SavedCertificate out;
  out.directory = std::move(directory);
  out.names = info.dns_names;
  for (const IpAddress& address : info.addresses) out.names.push_back(format(address));
  std::sort(out.names.begin(), out.names.end());
  const auto identity = crypto::certificate_identity(chain);
  if (identity.ok() && !identity->authority_key.empty()) {
    out.id = acme::certificate_id(identity->authority_key, identity->serial);
  }
  out.not_before = info.not_before;
  out.not_after = certificate.chain_not_after();
  out.renew_at = out.not_after;
  return out;
}

}  // namespace timepool::certificates
