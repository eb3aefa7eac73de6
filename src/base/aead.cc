#include "base/aead.h"

namespace timepool {
namespace {

struct Traits {
  AeadId id;
  std::size_t key;
  std::size_t nonce;
  std::string_view name;
};

constexpr std::array<Traits, kAeadCount> kTraits = {{
    {AeadId::kAesSivCmac256, 32, 16, "AES-SIV-CMAC-256"},
    {AeadId::kAes128GcmSiv, 16, 12, "AES-128-GCM-SIV"},
}};

const Traits& traits_of(AeadId id) {
  return kTraits[id == AeadId::kAesSivCmac256 ? 0 : 1];
}

}  // namespace

std::optional<AeadId> aead_of(std::uint16_t number) {
  for (const Traits& traits : kTraits) {
    if (static_cast<std::uint16_t>(traits.id) == number) return traits.id;
  }
  return std::nullopt;
}

std::size_t key_size(AeadId id) {
  return traits_of(id).key;
}

std::size_t nonce_size(AeadId id) {
  return traits_of(id).nonce;
}

bool is_nonce_size(AeadId id, std::size_t octets) {
  return id == AeadId::kAesSivCmac256 ? octets > 0 : octets == traits_of(id).nonce;
}

std::string_view name_of(AeadId id) {
  return traits_of(id).name;
}

}  // namespace timepool
