// The server's part of symmetric keys (RFC 5905 7.3, 9.2; RFC 8573): a request under a key of ours
// is answered under the same, by a MAC of the same length.
//
// DEVIATION(rfc5905 A.5.1): a request whose MAC is wrong gets no crypto-NAK: that would answer
// whoever forges a sender, tell strangers which keys exist, and no client may act on it, since
// nobody proves it. chrony drops such requests too.
#pragma once

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/ip.h"
#include "ntp/server/reason.h"
#include "ntp/server/symmetric_key.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {

// kAnsweredKeyed, or why the request is dropped. `mac` is that of `request`, of whatever kind.
Reason judge_mac(const KeyRing& keys, Bytes request, const wire::ntp::Mac& mac,
                 const IpAddress& from);
// Puts key id and zeros where the digest comes behind the header that is written.
void write_unsigned_mac(const wire::ntp::Mac& mac, ByteWriter& reply);
// Puts the digest over what `reply` holds; it is the last step. CHECKs that the ring has the key.
void sign_reply(const KeyRing& keys, KeyId key, MutableBytes reply);

}  // namespace timepool::ntp
