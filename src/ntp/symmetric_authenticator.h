// SymmetricAuthenticator: a client's requests and replies under a pre-shared key (RFC 5905 7.3). It
// is bound to the one key that its source was configured with: a reply under any other, however
// right, proves nothing (CVE-2015-7974, CVE-2016-1567).
#pragma once

#include <memory>

#include "ntp/authenticator.h"
#include "ntp/server/symmetric_key.h"

namespace timepool::ntp {

class SymmetricAuthenticator final : public Authenticator {
 public:
  // Without a key (the key file has none of that number, or not for that server) nothing is ever
  // asked or believed.
  explicit SymmetricAuthenticator(std::shared_ptr<const SymmetricKey> key);

  // Appends the MAC over what is written. False without a key.
  bool protect(ByteWriter& request, RandomStream& random) override;
  AuthVerdict check(const wire::ntp::Packet& reply, Bytes datagram) override;
  bool authenticates() const override { return true; }

 private:
  std::shared_ptr<const SymmetricKey> key_;
};

}  // namespace timepool::ntp
