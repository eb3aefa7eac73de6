// CertificateDirectory: what a client of ACME keeps on disk, in a directory of its own (mode 0700):
//
//   certificate.pem      the chain, leaf first, and behind it the key of the leaf: one file, so
//   that
//                        no crash can part the two. Both paths of a server's settings name it.
//   state.json           acme::SavedState
//   account-ID.pem       the key of the account at one authority; ID is 16 hexadecimal digits of
//   the
//                        SHA-256 of the authority's directory URL
//   account-ID.next.pem  the key that an account is being changed to
//
// All are 0600 and replaced by write, fsync, rename, fsync: a crash or a full disk leaves the old
// one. One thread, one process.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/resources.h"
#include "acme/saved_state.h"
#include "base/result.h"
#include "net/tls_certificate.h"
#include "sys/certificate_files.h"

namespace timepool::certificates {

class CertificateDirectory {
 public:
  static constexpr std::size_t kMaxCertificateFile = 256 << 10;

  explicit CertificateDirectory(std::string path) : path_(std::move(path)) {}

  // Makes the directory where there is none. Errors: those of the system; kDenied when others may
  // write in it.
  Result<void> open() const;

  std::string certificate_path() const { return path_ + "/certificate.pem"; }
  std::string state_path() const { return path_ + "/state.json"; }
  std::string account_path(std::string_view authority) const;
  std::string next_account_path(std::string_view authority) const;
  // What a server's settings, and net::CertificateStore, take.
  sys::CertificateFiles files() const { return {certificate_path(), certificate_path()}; }

  // An empty state when there is no file. Errors: kCorrupt, and the system's.
  Result<acme::SavedState> read_state() const;
  Result<void> write_state(const acme::SavedState& state) const;

  // Nothing when there is no file. Errors: kInvalid when the two parts don't belong together, and
  // the system's.
  Result<std::optional<net::TlsCertificate>> read_certificate() const;
  // `chain` and `key` in PEM. Checked whole before anything is written.
  Result<void> write_certificate(std::string_view chain, std::string_view key) const;

 private:
  std::string path_;
};

// Whether what an authority issued is what was asked for, and may be shown from now on: chain and
// key belong together, all names are in it, its dates hold at `now` (it may begin up to an hour
// later: clocks differ). Errors: kInvalid with what is wrong.
Result<net::TlsCertificate> judge_issued(std::string_view chain, std::string_view key,
                                         const std::vector<acme::Identifier>& names, UnixTime now);

// What the state says of it: its id, names and dates. `directory` issued it.
acme::SavedCertificate saved_certificate(const net::TlsCertificate& certificate,
                                         std::string_view chain, std::string directory);

}  // namespace timepool::certificates
