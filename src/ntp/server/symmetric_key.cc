#include "ntp/server/symmetric_key.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {

SymmetricKey::SymmetricKey(KeyId id, MacType type, std::uint64_t generation,
                           std::vector<Prefix> allowed, std::unique_ptr<const Mac> mac)
    : id_(id),
      type_(type),
      generation_(generation),
      allowed_(std::move(allowed)),
      mac_(std::move(mac)) {
  CHECK(id_ != 0 && mac_ != nullptr);
}

bool SymmetricKey::allows(const IpAddress& address) const {
  const IpAddress plain = address.unmapped();
  return allowed_.empty() || std::any_of(allowed_.begin(), allowed_.end(),
                                         [&](const Prefix& it) { return it.contains(plain); });
}

std::size_t SymmetricKey::digest_size(std::uint8_t version) const {
  return version >= 4 ? std::min(mac_->size(), kMaxShortDigest) : mac_->size();
}

bool SymmetricKey::is_length(std::size_t digest) const {
  return digest == mac_->size() || digest == std::min(mac_->size(), kMaxShortDigest);
}

bool SymmetricKey::verify(Bytes message, Bytes digest) const {
  return is_length(digest.size()) && mac_->verify(message, digest);
}

void SymmetricKey::sign(Bytes message, MutableBytes digest) const {
  CHECK(is_length(digest.size()));
  mac_->sign(message, digest);
}

std::string_view name_of(MacVerdict verdict) {
  switch (verdict) {
    case MacVerdict::kAuthentic:
      return "authentic";
    case MacVerdict::kUnknownKey:
      return "unknown_key";
    case MacVerdict::kNotAllowed:
      return "not_allowed";
    case MacVerdict::kBadDigest:
      break;
  }
  return "bad_digest";
}

KeyRing::KeyRing(std::vector<std::shared_ptr<const SymmetricKey>> keys) : keys_(std::move(keys)) {
  std::sort(keys_.begin(), keys_.end(),
            [](const auto& a, const auto& b) { return a->id() < b->id(); });
  ids_.reserve(keys_.size());
  for (const auto& key : keys_) {
    CHECK(ids_.empty() || ids_.back() != key->id());
    ids_.push_back(key->id());
  }
}

const SymmetricKey* KeyRing::find(KeyId id) const {
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (at == ids_.end() || *at != id) return nullptr;
  return keys_[static_cast<std::size_t>(at - ids_.begin())].get();
}

std::shared_ptr<const SymmetricKey> KeyRing::share(KeyId id) const {
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (at == ids_.end() || *at != id) return nullptr;
  return keys_[static_cast<std::size_t>(at - ids_.begin())];
}

MacVerdict KeyRing::verify(KeyId id, Bytes message, Bytes digest, const IpAddress& from) const {
  const SymmetricKey* key = find(id);
  if (key == nullptr) return MacVerdict::kUnknownKey;
  if (!key->allows(from)) return MacVerdict::kNotAllowed;
  return key->verify(message, digest) ? MacVerdict::kAuthentic : MacVerdict::kBadDigest;
}

bool KeyRing::sign(KeyId id, Bytes message, MutableBytes digest) const {
  const SymmetricKey* key = find(id);
  if (key == nullptr ||
      (digest.size() != key->digest_size(3) && digest.size() != key->digest_size(4))) {
    return false;
  }
  key->sign(message, digest);
  return true;
}

}  // namespace timepool::ntp
