// A proof for tests of symmetric and broadcast modes: a MAC of key 1, that tells changed packets
// and other keys apart and is no secret.
#pragma once

#include "base/siphash.h"
#include "ntp/authenticator.h"

namespace timepool::ntp {

class TestProof final : public Authenticator {
 public:
  explicit TestProof(std::uint64_t secret = 1) : secret_(secret) {}

  bool protect(ByteWriter& request, RandomStream&) override {
    const std::uint64_t first = half(request.written(), 0);
    const std::uint64_t second = half(request.written(), 1);
    request.u32(1);
    request.u64(first);
    request.u64(second);
    return true;
  }
  AuthVerdict check(const wire::ntp::Packet& reply, Bytes datagram) override {
    if (reply.mac.kind == wire::ntp::MacKind::kCryptoNak) return AuthVerdict::kNak;
    if (reply.mac.digest.size() != 16 || reply.mac.key_id != 1) return AuthVerdict::kNotAuthentic;
    const Bytes message = datagram.first(datagram.size() - 20);
    ByteReader digest(reply.mac.digest);
    const bool first = digest.u64() == half(message, 0);
    return first && digest.u64() == half(message, 1) ? AuthVerdict::kAuthentic
                                                     : AuthVerdict::kNotAuthentic;
  }
  bool authenticates() const override { return true; }

 private:
  std::uint64_t half(Bytes message, std::uint64_t which) const {
    return siphash24({secret_, which}, message);
  }

  std::uint64_t secret_;
};

}  // namespace timepool::ntp
