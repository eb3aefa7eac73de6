// The fields of NTS in NTP, the client's side (RFC 8915 5.7): what is put behind the header of a
// request, and what a reply proves. Keys are set in the Aead by the caller: client to server for
// the request, server to client for the reply.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/aead.h"
#include "base/byte_writer.h"
#include "base/static_vector.h"
#include "nts/establishment.h"
#include "wire/ntp/packet.h"

namespace timepool::nts {

// RFC 8915 5.3: 32 at least.
inline constexpr std::size_t kUniqueIdSize = 32;
using UniqueId = std::array<std::byte, kUniqueIdSize>;

struct RequestFields {
  UniqueId id{};
  Bytes cookie;
  std::size_t placeholders = 0;
  Bytes nonce;  // nonce_size() of the algorithm
};

// Octets of the authenticator of a request, by the algorithm: its plain text is empty.
std::size_t authenticator_size(AeadId aead);
// Appends them. False when they do not fit. What is written before is authenticated with them.
bool write_request_fields(const RequestFields& fields, Aead& c2s, ByteWriter& request);

enum class ReplyVerdict : std::uint8_t {
  kAuthentic,
  kNoUniqueId,        // none, or more than one
  kWrongUniqueId,     // it answers another request, or none
  kNak,               // NTSN with our id: unauthenticated as it must be
  kNoAuthenticator,   // and no NTSN
  kBadAuthenticator,  // its parts do not fit into each other, or are too long
  kWrongProof,        // not sealed by this key over this reply
};
inline constexpr std::size_t kReplyVerdictCount = 7;
std::string_view name_of(ReplyVerdict verdict);

// A longer sealed text is refused: a reply of eight of the longest cookies fits no datagram anyway.
inline constexpr std::size_t kMaxSealed = 2048;

struct ReplyFields {
  ReplyVerdict verdict = ReplyVerdict::kNoUniqueId;
  // The new cookies, as views of `plain` that read_reply() was given; none unless authentic.
  StaticVector<Bytes, kMaxCookies> cookies;
};

// NC6, NC7: fields after the authenticator and cookies outside it are not looked at.
ReplyFields read_reply(const wire::ntp::Packet& reply, Bytes datagram, const UniqueId& id,
                       Aead& s2c, std::array<std::byte, kMaxSealed>& plain);

}  // namespace timepool::nts
