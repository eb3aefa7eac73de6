#include "nts/request_fields.h"

#include <algorithm>
#include <string_view>

namespace timepool::nts {
namespace {

using wire::ntp::ExtensionField;
namespace field_type = wire::ntp::field_type;

constexpr std::size_t padded(std::size_t octets) {
  return (octets + 3) / 4 * 4;
}

struct Seal {
  Bytes nonce;
  Bytes text;
};

// RFC 8915 5.6: two lengths, the nonce and the sealed text, each padded to a word; more may follow.
bool parse_authenticator(Bytes body, Seal& out) {
  ByteReader reader(body);
  const std::size_t nonce = reader.u16();
  const std::size_t text = reader.u16();
  out.nonce = reader.bytes(nonce);
  reader.skip(padded(nonce) - nonce);
  out.text = reader.bytes(text);
  return reader.ok() && nonce > 0 && text >= kAeadOverhead && text <= kMaxSealed;
}

// What stands inside: fields that may be shorter than those outside (RFC 8915 5.6). What follows
// one that is unsound is not looked at: its authentic sender wrote it so.
void collect_cookies(Bytes plain, ReplyFields& out) {
  ByteReader reader(plain);
  while (reader.remaining() >= wire::ntp::kFieldHeaderSize) {
    const std::uint16_t type = reader.u16();
    const std::size_t length = reader.u16();
    if (length < wire::ntp::kFieldHeaderSize) return;
    const Bytes body = reader.bytes(length - wire::ntp::kFieldHeaderSize);
    if (!reader.ok()) return;
    if (type == field_type::kNtsCookie) static_cast<void>(out.cookies.push_back(body));
  }
}

// Exactly one unique identifier before the authenticator, and that ours.
ReplyVerdict judge_id(const wire::ntp::Packet& reply, const UniqueId& id) {
  std::size_t ids = 0;
  bool ours = false;
  for (const ExtensionField& field : reply.fields) {
    if (field.type == field_type::kNtsAuthenticator) break;
    if (field.type != field_type::kUniqueIdentifier) continue;
    ++ids;
    ours = std::ranges::equal(field.body, id);
  }
  if (ids != 1) return ReplyVerdict::kNoUniqueId;
  return ours ? ReplyVerdict::kAuthentic : ReplyVerdict::kWrongUniqueId;
}

}  // namespace

std::size_t authenticator_size(AeadId aead) {
  return wire::ntp::kFieldHeaderSize + 4 + padded(nonce_size(aead)) + kAeadOverhead;
}

bool write_request_fields(const RequestFields& fields, Aead& c2s, ByteWriter& request) {
  wire::ntp::write_field({field_type::kUniqueIdentifier, fields.id}, request);
  const std::size_t cookie_at = request.size();
  wire::ntp::write_field({field_type::kNtsCookie, fields.cookie}, request);
  if (!request.ok()) return false;
  const std::size_t body = request.size() - cookie_at - wire::ntp::kFieldHeaderSize;
  // RFC 8915 5.5: of the size of the cookie, and of zeros.
  for (std::size_t i = 0; i < fields.placeholders; ++i) {
    request.u16(field_type::kNtsCookiePlaceholder);
    request.u16(static_cast<std::uint16_t>(wire::ntp::kFieldHeaderSize + body));
    request.zeros(body);
  }
  if (!request.ok()) return false;
  const Bytes associated = request.written();
  const std::size_t nonce = padded(fields.nonce.size());
  request.u16(field_type::kNtsAuthenticator);
  request.u16(static_cast<std::uint16_t>(wire::ntp::kFieldHeaderSize + 4 + nonce + kAeadOverhead));
  request.u16(static_cast<std::uint16_t>(fields.nonce.size()));
  request.u16(kAeadOverhead);
  request.bytes(fields.nonce);
  request.zeros(nonce - fields.nonce.size());
  const std::size_t sealed_at = request.size();
  request.zeros(kAeadOverhead);
  if (!request.ok()) return false;
  c2s.seal(fields.nonce, associated, {}, request.buffer().subspan(sealed_at, kAeadOverhead));
  return true;
}

std::string_view name_of(ReplyVerdict verdict) {
  constexpr std::string_view kNames[] = {"authentic",  "no_unique_id",     "wrong_unique_id",
                                         "nak",        "no_authenticator", "bad_authenticator",
                                         "wrong_proof"};
  return kNames[static_cast<std::size_t>(verdict)];
}

ReplyFields read_reply(const wire::ntp::Packet& reply, Bytes datagram, const UniqueId& id,
                       Aead& s2c, std::array<std::byte, kMaxSealed>& plain) {
  ReplyFields out;
  out.verdict = judge_id(reply, id);
  if (out.verdict != ReplyVerdict::kAuthentic) return out;
  const ExtensionField* proof = reply.field(field_type::kNtsAuthenticator);
  if (proof == nullptr) {
    const bool nak = wire::ntp::kiss_code(reply.header.stratum, reply.header.reference_id) ==
                     wire::ntp::KissCode::kNtsn;
    out.verdict = nak ? ReplyVerdict::kNak : ReplyVerdict::kNoAuthenticator;
    return out;
  }
  Seal seal;
  if (!parse_authenticator(proof->body, seal)) {
    out.verdict = ReplyVerdict::kBadAuthenticator;
    return out;
  }
  const auto before =
      static_cast<std::size_t>(proof->body.data() - datagram.data()) - wire::ntp::kFieldHeaderSize;
  const MutableBytes opened = MutableBytes(plain).first(seal.text.size() - kAeadOverhead);
  if (!s2c.open(seal.nonce, datagram.first(before), seal.text, opened)) {
    out.verdict = ReplyVerdict::kWrongProof;
    return out;
  }
  collect_cookies(opened, out);
  return out;
}

}  // namespace timepool::nts
