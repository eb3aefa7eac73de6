#include "ntp/symmetric_authenticator.h"

#include <array>
#include <utility>

namespace timepool::ntp {

SymmetricAuthenticator::SymmetricAuthenticator(std::shared_ptr<const SymmetricKey> key)
    : key_(std::move(key)) {}

bool SymmetricAuthenticator::protect(ByteWriter& request, RandomStream&) {
  if (key_ == nullptr || !request.ok() || request.size() < wire::ntp::kHeaderSize) return false;
  const Bytes message = request.written();
  const auto version = static_cast<std::uint8_t>(std::to_integer<unsigned>(message[0]) >> 3 & 7);
  std::array<std::byte, kMaxMacDigest> buffer{};
  const MutableBytes digest = MutableBytes(buffer).first(key_->digest_size(version));
  key_->sign(message, digest);
  request.u32(key_->id());
  request.bytes(digest);
  return request.ok();
}

AuthVerdict SymmetricAuthenticator::check(const wire::ntp::Packet& reply, Bytes datagram) {
  const wire::ntp::Mac& mac = reply.mac;
  if (mac.kind == wire::ntp::MacKind::kCryptoNak) return AuthVerdict::kNak;
  const bool ours = key_ != nullptr && mac.kind == wire::ntp::MacKind::kDigest &&
                    mac.key_id == key_->id() && mac.size() <= datagram.size();
  return ours && key_->verify(datagram.first(datagram.size() - mac.size()), mac.digest)
             ? AuthVerdict::kAuthentic
             : AuthVerdict::kNotAuthentic;
}

}  // namespace timepool::ntp
