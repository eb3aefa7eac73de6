#include "nts/answerer.h"

#include <algorithm>
#include <optional>

#include "base/check.h"

namespace timepool::nts {
namespace {

using wire::ntp::ExtensionField;
using wire::ntp::kFieldHeaderSize;
using wire::ntp::kHeaderSize;
namespace field_type = wire::ntp::field_type;

// Of an authenticator, before its nonce: type and length of the field, lengths of its parts.
constexpr std::size_t kAuthenticatorHead = 8;
// RFC 8915 5.6: N_REQ is the lesser of this and the longest nonce that the algorithm takes.
constexpr std::size_t kUsualNonce = 16;

constexpr std::size_t padded(std::size_t octets) {
  return (octets + 3) / 4 * 4;
}

// Octets that a request must keep free for the nonce of its reply.
std::size_t required_nonce(AeadId aead) {
  return aead == AeadId::kAesSivCmac256 ? kUsualNonce : std::min(kUsualNonce, nonce_size(aead));
}

std::size_t cookie_field(std::size_t cookie) {
  return kFieldHeaderSize + cookie;
}

}  // namespace

// The fields of NTS before the authenticator, with their numbers.
struct Answerer::Fields {
  const ExtensionField* authenticator = nullptr;
  Bytes unique_id;
  Bytes cookie;
  std::size_t unique_ids = 0;
  std::size_t cookies = 0;
  std::size_t placeholders = 0;
  bool placeholders_differ = false;  // one is not of the size of another
  std::size_t placeholder_size = 0;
  bool any = false;  // a cookie or an authenticator, wherever

  void add(const ExtensionField& field) {
    if (field.type == field_type::kUniqueIdentifier) {
      if (unique_ids++ == 0) unique_id = field.body;
    } else if (field.type == field_type::kNtsCookie) {
      ++cookies;
      cookie = field.body;
    } else if (field.type == field_type::kNtsCookiePlaceholder) {
      placeholders_differ |= placeholders > 0 && field.body.size() != placeholder_size;
      placeholder_size = field.body.size();
      ++placeholders;
    }
  }
  // RFC 8915 5.7: one of each; 5.5: a placeholder has the size of the cookie.
  bool sound() const {
    return authenticator != nullptr && unique_ids == 1 && unique_id.size() >= kMinUniqueId &&
           cookies == 1 &&
           (placeholders == 0 || (!placeholders_differ && placeholder_size == cookie.size()));
  }
};

// RFC 8915 5.6: the parts of an authenticator.
struct Answerer::Proof {
  Bytes nonce;
  Bytes sealed;
  std::size_t padding = 0;  // octets behind both, the padding of a short nonce among them

  static std::optional<Proof> parse(Bytes body) {
    ByteReader reader(body);
    Proof out;
    const std::size_t nonce = reader.u16();
    const std::size_t sealed = reader.u16();
    out.nonce = reader.bytes(nonce);
    reader.skip(padded(nonce) - nonce);
    out.sealed = reader.bytes(sealed);
    reader.skip(padded(sealed) - sealed);
    if (!reader.ok() || sealed < kAeadOverhead || sealed > kMaxSealed) return std::nullopt;
    out.padding = reader.remaining();
    return out;
  }
  bool has_room_for_nonce(AeadId aead) const {
    return padded(nonce.size()) + padding >= required_nonce(aead);
  }
};

Answerer::Answerer(const AeadMaker& aeads, RandomSource& random)
    : random_(random),
      cookies_(aeads, random),
      siv_(aeads.make(AeadId::kAesSivCmac256)),
      gcm_siv_(aeads.make(AeadId::kAes128GcmSiv)) {}

Answerer::Fields Answerer::sort(const wire::ntp::Packet& packet) {
  Fields out;
  for (const ExtensionField& field : packet.fields) {
    const bool proof = field.type == field_type::kNtsAuthenticator;
    out.any |= proof || field.type == field_type::kNtsCookie;
    if (out.authenticator != nullptr) continue;
    if (proof) {
      out.authenticator = &field;
    } else {
      out.add(field);
    }
  }
  return out;
}

// What a client may seal is placeholders only; sealed fields may be shorter than others.
bool Answerer::judge_inside(const Fields& fields, Bytes inside, std::size_t& placeholders) const {
  ByteReader reader(inside);
  while (reader.remaining() > 0) {
    const std::uint16_t type = reader.u16();
    const std::size_t length = reader.u16();
    if (length < kFieldHeaderSize || length % 4 != 0) return false;
    const Bytes body = reader.bytes(length - kFieldHeaderSize);
    if (!reader.ok()) return false;
    if (type != field_type::kNtsCookiePlaceholder) continue;
    if (body.size() != fields.cookie.size()) return false;
    ++placeholders;
  }
  return true;
}

AskVerdict Answerer::prove(Bytes request, const Fields& fields, Asked& out) {
  const std::optional<Proof> proof = Proof::parse(fields.authenticator->body);
  if (!proof) return AskVerdict::kMalformed;
  const std::optional<SessionKeys> keys = cookies_.open(fields.cookie);
  if (!keys) return AskVerdict::kNak;
  out.keys = *keys;
  if (!is_nonce_size(keys->aead, proof->nonce.size()) || !proof->has_room_for_nonce(keys->aead)) {
    return AskVerdict::kMalformed;
  }
  const auto before = static_cast<std::size_t>(fields.authenticator->body.data() - request.data()) -
                      kFieldHeaderSize;
  const MutableBytes inside = MutableBytes(inside_).first(proof->sealed.size() - kAeadOverhead);
  Aead& c2s = aead(keys->aead);
  c2s.set_key(keys->c2s());
  if (!c2s.open(proof->nonce, request.first(before), proof->sealed, inside)) {
    return AskVerdict::kNak;
  }
  std::size_t placeholders = fields.placeholders;
  if (!judge_inside(fields, inside, placeholders)) return AskVerdict::kMalformed;
  out.cookies = std::min(1 + placeholders, kMaxNewCookies);
  out.size = before + fields.authenticator->size();
  return fit(fields, out) ? AskVerdict::kAuthentic : AskVerdict::kMalformed;
}

// Whether the reply is not longer than the request. The rules for placeholders and padding see to
// it; this does not rely on them.
bool Answerer::fit(const Fields& fields, Asked& out) const {
  const std::size_t needed = kHeaderSize + cookie_field(fields.unique_id.size()) +
                             kAuthenticatorHead + padded(nonce_size(out.keys.aead)) +
                             kAeadOverhead +
                             out.cookies * cookie_field(cookies_.cookie_size(out.keys.aead));
  return needed <= out.size;
}

Asked Answerer::judge(Bytes request, const wire::ntp::Packet& packet) {
  const Fields fields = sort(packet);
  Asked out;
  out.unique_id = fields.unique_id;
  if (!fields.any || !cookies_.usable()) return out;
  out.verdict = fields.sound() ? prove(request, fields, out) : AskVerdict::kMalformed;
  return out;
}

Seal Answerer::write(const Asked& asked, ByteWriter& reply) {
  CHECK(asked.verdict == AskVerdict::kAuthentic);
  const AeadId id = asked.keys.aead;
  const std::size_t nonce = nonce_size(id);
  wire::ntp::write_field({field_type::kUniqueIdentifier, asked.unique_id}, reply);
  Seal out;
  out.aead = id;
  out.s2c = asked.keys.server_to_client;
  out.at = reply.size();
  out.plain = asked.cookies * cookie_field(cookies_.cookie_size(id));
  reply.u16(field_type::kNtsAuthenticator);
  reply.u16(static_cast<std::uint16_t>(asked.size - out.at));
  reply.u16(static_cast<std::uint16_t>(nonce));
  reply.u16(static_cast<std::uint16_t>(kAeadOverhead + out.plain));
  reply.zeros(padded(nonce) + kAeadOverhead);
  CHECK(reply.ok());
  random_.fill(reply.buffer().subspan(out.at + kAuthenticatorHead, nonce));
  for (std::size_t i = 0; i < asked.cookies; ++i) {
    reply.u16(field_type::kNtsCookie);
    reply.u16(static_cast<std::uint16_t>(cookie_field(cookies_.cookie_size(id))));
    CHECK(cookies_.make(asked.keys, reply));
  }
  reply.zeros(asked.size - reply.size());
  CHECK(reply.ok());
  return out;
}

void Answerer::seal(const Seal& seal, MutableBytes reply) {
  const std::size_t nonce = nonce_size(seal.aead);
  const std::size_t nonce_at = seal.at + kAuthenticatorHead;
  const std::size_t sealed_at = nonce_at + padded(nonce);
  CHECK(sealed_at + kAeadOverhead + seal.plain <= reply.size());
  const Bytes plain = reply.subspan(sealed_at + kAeadOverhead, seal.plain);
  std::copy(plain.begin(), plain.end(), inside_.begin());
  Aead& s2c = aead(seal.aead);
  s2c.set_key(Bytes(seal.s2c).first(key_size(seal.aead)));
  s2c.seal(reply.subspan(nonce_at, nonce), reply.first(seal.at), Bytes(inside_).first(seal.plain),
           reply.subspan(sealed_at, kAeadOverhead + seal.plain));
}

void echo_unique_id(Bytes unique_id, ByteWriter& reply) {
  if (kFieldHeaderSize + unique_id.size() < wire::ntp::kMinLastFieldSize) return;
  wire::ntp::write_field({field_type::kUniqueIdentifier, unique_id}, reply);
  CHECK(reply.ok());
}

}  // namespace timepool::nts
