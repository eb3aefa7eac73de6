#include "ntp/server/keyed_answer.h"

#include "base/check.h"

namespace timepool::ntp {
namespace {

// A reply to a keyed request has no extension fields: the MAC stands behind the header.
constexpr std::size_t kDigestAt = wire::ntp::kHeaderSize + sizeof(KeyId);

}  // namespace

Reason judge_mac(const KeyRing& keys, Bytes request, const wire::ntp::Mac& mac,
                 const IpAddress& from) {
  CHECK(mac.size() <= request.size());
  const Bytes message = request.first(request.size() - mac.size());
  switch (keys.verify(mac.key_id, message, mac.digest, from)) {
    case MacVerdict::kAuthentic:
      return Reason::kAnsweredKeyed;
    case MacVerdict::kUnknownKey:
      return Reason::kUnknownKey;
    case MacVerdict::kNotAllowed:
      return Reason::kKeyNotAllowed;
    case MacVerdict::kBadDigest:
      break;
  }
  return Reason::kBadDigest;
}

void write_unsigned_mac(const wire::ntp::Mac& mac, ByteWriter& reply) {
  reply.u32(mac.key_id);
  reply.zeros(mac.digest.size());
}

void sign_reply(const KeyRing& keys, KeyId key, MutableBytes reply) {
  CHECK(reply.size() > kDigestAt);
  CHECK(keys.sign(key, reply.first(wire::ntp::kHeaderSize), reply.subspan(kDigestAt)));
}

}  // namespace timepool::ntp
