#include "ntp/authenticator.h"

namespace timepool::ntp {

bool NoAuthentication::protect(ByteWriter&, RandomStream&) {
  return true;
}

AuthVerdict NoAuthentication::check(const wire::ntp::Packet& reply, Bytes) {
  // Nothing of ours could fail a check, so a crypto-NAK is forged or a fault of the server.
  return reply.mac.kind == wire::ntp::MacKind::kCryptoNak ? AuthVerdict::kNak
                                                          : AuthVerdict::kAuthentic;
}

}  // namespace timepool::ntp
