// Answerer: the server's side of NTS in NTP (RFC 8915 5): what follows the header of a request, and
// of its reply. One object is one thread's; nothing allocates but the constructor.
//
// What it keeps: a reply has as many octets as the request up to the end of its authenticator; a
// new cookie for each that was asked for, and eight at the most; a cookie is never outside of what
// is sealed; fields after a request's authenticator are as if they were not there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/aead.h"
#include "base/byte_writer.h"
#include "base/random_source.h"
#include "nts/cookies.h"
#include "nts/session_keys.h"
#include "wire/ntp/packet.h"

namespace timepool::nts {

// RFC 8915 5.7: a client keeps eight cookies, so that more are of no use whatever is asked for.
inline constexpr std::size_t kMaxNewCookies = 8;
// RFC 8915 5.3: no unique identifier is shorter.
inline constexpr std::size_t kMinUniqueId = 32;

enum class AskVerdict : std::uint8_t {
  kNone,       // it has nothing of NTS, or we have no keys: at most a unique identifier
  kMalformed,  // its fields break RFC 8915: not answered
  kNak,        // its cookie does not open, or it is not sealed by the key in it
  kAuthentic,
};

// What a request asks for. The views are of the request.
struct Asked {
  AskVerdict verdict = AskVerdict::kNone;
  Bytes unique_id;          // the field's body; empty: there is none
  SessionKeys keys;         // the rest of an authentic one only
  std::size_t cookies = 0;  // new ones that it gets
  std::size_t size = 0;     // octets of the reply
};

// A reply that lacks its proof, which is made last.
struct Seal {
  AeadId aead = AeadId::kAesSivCmac256;
  std::array<std::byte, kMaxAeadKey> s2c{};
  std::size_t at = 0;     // where its authenticator begins
  std::size_t plain = 0;  // octets to seal
};

class Answerer {
 public:
  // `random` outlives it.
  Answerer(const AeadMaker& aeads, RandomSource& random);

  // The keys from now on.
  void use(const CookieKeys& keys) { cookies_.use(keys); }
  const Cookies& cookies() const { return cookies_; }

  // `packet` is the whole `request`, parsed.
  Asked judge(Bytes request, const wire::ntp::Packet& packet);
  // Writes what follows the header of the reply to an authentic request, which may be overwritten.
  // `reply` has its header and room for asked.size octets (CHECKed).
  Seal write(const Asked& asked, ByteWriter& reply);
  // The last step: what of the reply is authenticated is as it will be sent.
  void seal(const Seal& seal, MutableBytes reply);

 private:
  struct Fields;
  struct Proof;
  static Fields sort(const wire::ntp::Packet& packet);
  bool judge_inside(const Fields& fields, Bytes inside, std::size_t& placeholders) const;
  AskVerdict prove(Bytes request, const Fields& fields, Asked& out);
  bool fit(const Fields& fields, Asked& out) const;
  Aead& aead(AeadId id) { return id == AeadId::kAesSivCmac256 ? *siv_ : *gcm_siv_; }

  RandomSource& random_;
  Cookies cookies_;
  std::unique_ptr<Aead> siv_;
  std::unique_ptr<Aead> gcm_siv_;
  // A server takes no longer datagrams (ntpd/server_handler.h); what is longer is malformed.
  static constexpr std::size_t kMaxSealed = 2048;
  std::array<std::byte, kMaxSealed> inside_{};
};

// Echoes a unique identifier behind a header: RFC 8915 5.3 has every server do so, with or without
// NTS. Does nothing for an empty one, or one so short that the field would have to grow. `reply`
// has room for a field of the same size (CHECKed).
void echo_unique_id(Bytes unique_id, ByteWriter& reply);

}  // namespace timepool::nts
