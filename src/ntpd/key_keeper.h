// KeyKeeper: the key file of [keys] as a ring of prepared keys, read at the start and on reload. A
// file with a fault never replaces a good one. Main thread only; the ring itself may be used by
// any.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/ntpd_keys.h"
#include "ntp/key_table.h"
#include "ntp/server/symmetric_key.h"
#include "sys/log.h"

namespace timepool::ntpd {

class KeyKeeper {
 public:
  explicit KeyKeeper(sys::Logger& logger);

  // Reads the file of `config`, if it names one. Errors: kInvalid with the line and what is wrong
  // with it; those of sys::read_secret_file. The ring stays as it was then.
  Result<void> read(const config::NtpKeysConfig& config);
  // Null without a file.
  const std::shared_ptr<const ntp::KeyRing>& ring() const { return ring_; }

 private:
  using Fingerprint = std::array<std::byte, 32>;
  // What a key was when its generation was given to it.
  struct Known {
    Fingerprint fingerprint{};
    std::uint64_t generation = 0;
  };

  Result<std::vector<ntp::KeyEntry>> parse(const std::string& path) const;
  Fingerprint fingerprint_of(const ntp::KeyEntry& entry) const;
  std::uint64_t generation_of(const ntp::KeyEntry& entry, std::map<ntp::KeyId, Known>& next);
  void warn(const ntp::KeyEntry& entry, const std::string& place) const;

  sys::Logger& logger_;
  Fingerprint secret_{};  // of the fingerprints: they are no use to who reads this memory later
  std::map<ntp::KeyId, Known> known_;
  std::uint64_t last_generation_ = 0;
  std::shared_ptr<const ntp::KeyRing> ring_;
};

}  // namespace timepool::ntpd
