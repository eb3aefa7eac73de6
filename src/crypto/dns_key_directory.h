// DnsKeyDirectory: where the keys of signed zones are kept: for each zone its state
// (dnssec/key_state.h) and a file for each key, all mode 0600.
//
//   pool.example.state              replaced as a whole
//   pool.example+013+12345.pem      algorithm and tag; written once, before a state names it
//
// Characters of a zone's name that are no letters, digits, '-', '_' or '.' stand as "%XX". Methods
// may be called from any thread; two processes may read, one at a time writes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/dns_key.h"
#include "dnssec/key_state.h"

namespace timepool::crypto {

// Zones are named as text in lower case with the ending dot.
class DnsKeyDirectory {
 public:
  explicit DnsKeyDirectory(std::string path) : path_(std::move(path)) {}

  // Makes it, mode 0700. Errors: kDenied when others may write to it, and the system's.
  Result<void> prepare() const;
  const std::string& path() const { return path_; }
  std::string state_path(const std::string& zone) const;
  std::string key_path(const std::string& zone, dnssec::Algorithm algorithm,
                       std::uint16_t tag) const;

  // Nothing: there is no such file. Errors: kCorrupt with the fault and its line; kInvalid when it
  // is another zone's; the system's.
  Result<std::optional<dnssec::KeyStateFile>> read_state(const std::string& zone) const;
  Result<void> write_state(const dnssec::KeyStateFile& state) const;
  // What tells that the state may have changed; empty: it is not there.
  std::string state_stamp(const std::string& zone) const;

  // Errors: those of DnsKey::load; kCorrupt when the file holds another key than `key`.
  Result<std::shared_ptr<const DnsKey>> load_key(const std::string& zone,
                                                 const dnssec::PlannedKey& key) const;
  // A file that is there already with the same key is right. Errors: kExists when it holds another.
  Result<void> save_key(const std::string& zone, std::uint16_t tag, const DnsKey& key) const;
  bool has_key(const std::string& zone, const dnssec::PlannedKey& key) const;
  void remove_key(const std::string& zone, const dnssec::PlannedKey& key) const;

 private:
  std::string base_of(const std::string& zone) const;

  std::string path_;
};

}  // namespace timepool::crypto
