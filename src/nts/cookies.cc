#include "nts/cookies.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace timepool::nts {
namespace {

constexpr std::size_t kIdSize = 4;
constexpr std::size_t kNonceSize = 16;
constexpr std::size_t kHeadSize = kIdSize + kNonceSize;

// Octets of both keys.
constexpr std::size_t kMaxInside = 2 * kMaxAeadKey;
static_assert(kHeadSize + kAeadOverhead + kMaxInside <= kMaxOwnCookie);
static_assert((kHeadSize + kAeadOverhead) % 4 == 0);

std::size_t inside_size(AeadId aead) {
  return 2 * key_size(aead);
}

std::optional<AeadId> aead_of_inside(std::size_t octets) {
  for (const AeadId id : {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv}) {
    if (octets == inside_size(id)) return id;
  }
  return std::nullopt;
}

}  // namespace

Cookies::Cookies(const AeadMaker& aeads, RandomSource& random) : random_(random) {
  for (Place& place : places_) place.aead = aeads.make(AeadId::kAesSivCmac256);
}

void Cookies::use(const CookieKeys& keys) {
  if (keys.serial == serial_) return;
  serial_ = keys.serial;
  keys_ = keys.keys.size();
  for (std::size_t i = 0; i < keys_; ++i) {
    places_[i].id = keys.keys[i].id;
    places_[i].aead->set_key(keys.keys[i].secret);
  }
}

Cookies::Place* Cookies::find(std::uint32_t id) {
  for (std::size_t i = 0; i < keys_; ++i) {
    if (places_[i].id == id) return &places_[i];
  }
  return nullptr;
}

std::size_t Cookies::cookie_size(AeadId aead) const {
  return kHeadSize + kAeadOverhead + inside_size(aead);
}

bool Cookies::make(const SessionKeys& keys, ByteWriter& out) {
  if (!usable() || !out.ok() || out.remaining() < cookie_size(keys.aead)) return false;
  std::array<std::byte, kMaxInside> inside;
  const Bytes c2s = keys.c2s();
  const Bytes s2c = keys.s2c();
  std::copy(s2c.begin(), s2c.end(), std::copy(c2s.begin(), c2s.end(), inside.begin()));
  Place& place = places_[CookieKeys::kCurrent];
  const std::size_t at = out.size();
  out.u32(place.id);
  out.zeros(cookie_size(keys.aead) - kIdSize);
  const MutableBytes cookie = out.buffer().subspan(at, cookie_size(keys.aead));
  const MutableBytes nonce = cookie.subspan(kIdSize, kNonceSize);
  random_.fill(nonce);
  place.aead->seal(nonce, cookie.first(kIdSize), Bytes(inside).first(inside_size(keys.aead)),
                   cookie.subspan(kHeadSize));
  count(made_);
  return true;
}

std::optional<SessionKeys> Cookies::open(Bytes cookie) {
  ByteReader reader(cookie);
  Place* const place = find(reader.u32());
  const Bytes nonce = reader.bytes(kNonceSize);
  const Bytes sealed = reader.rest();
  std::optional<AeadId> aead;
  if (reader.ok() && sealed.size() > kAeadOverhead) {
    aead = aead_of_inside(sealed.size() - kAeadOverhead);
  }
  if (place == nullptr || !aead) {
    count(unknown_key_);
    return std::nullopt;
  }
  std::array<std::byte, kMaxInside> buffer;
  const MutableBytes inside = MutableBytes(buffer).first(inside_size(*aead));
  if (!place->aead->open(nonce, cookie.first(kIdSize), sealed, inside)) {
    count(forged_);
    return std::nullopt;
  }
  SessionKeys out;
  out.aead = *aead;
  const std::size_t size = key_size(*aead);
  std::copy_n(inside.begin(), size, out.client_to_server.begin());
  std::copy_n(inside.begin() + static_cast<std::ptrdiff_t>(size), size,
              out.server_to_client.begin());
  count(opened_[static_cast<std::size_t>(place - places_.data())]);
  return out;
}

void Cookies::add_counts(CookieCounts& out) const {
  for (std::size_t i = 0; i < opened_.size(); ++i) {
    out.opened[i] += opened_[i].load(std::memory_order_relaxed);
  }
  out.made += made_.load(std::memory_order_relaxed);
  out.unknown_key += unknown_key_.load(std::memory_order_relaxed);
  out.forged += forged_.load(std::memory_order_relaxed);
}

}  // namespace timepool::nts
