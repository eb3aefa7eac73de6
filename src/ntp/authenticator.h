// Authenticator: how a client proves its requests and checks its replies. Symmetric keys and NTS
// provide one each; NoAuthentication is the plain protocol. One object per association: keys are
// bound to the server that they were configured for.
#pragma once

#include <cstdint>

#include "base/byte_writer.h"
#include "ntp/random_stream.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {

enum class AuthVerdict : std::uint8_t {
  kAuthentic,     // or nothing was to be proved
  kNotAuthentic,  // a proof was due and is missing or wrong
  kNak,           // the server says that it could not check ours
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Appends to a request of which the header is written. False when there is nothing to prove it
  // with (no key, no cookie): then no request is sent.
  virtual bool protect(ByteWriter& request, RandomStream& random) = 0;
  // What protect() last wrote never left this machine.
  virtual void handle_unsent() {}
  // Judges a reply whose origin timestamp was found right.
  virtual AuthVerdict check(const wire::ntp::Packet& reply, Bytes datagram) = 0;
  // An authentic reply was proved to come from the server that was configured.
  virtual bool authenticates() const = 0;
};

class NoAuthentication final : public Authenticator {
 public:
  bool protect(ByteWriter& request, RandomStream& random) override;
  AuthVerdict check(const wire::ntp::Packet& reply, Bytes datagram) override;
  bool authenticates() const override { return false; }
};

}  // namespace timepool::ntp
