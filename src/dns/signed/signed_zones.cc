#include "dns/signed/signed_zones.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"

namespace timepool::dns {

std::shared_ptr<const SignedZones> SignedZones::create(std::shared_ptr<const CompiledZones> zones,
                                                       std::vector<Zone> signed_zones,
                                                       std::vector<Item> items) {
  CHECK(signed_zones.size() == zones->zones().size());
  auto out = std::make_shared<SignedZones>();
  out->zones_ = std::move(zones);
  out->states_ = std::move(signed_zones);
  out->withholds_any_ = std::any_of(out->states_.begin(), out->states_.end(),
                                    [](const Zone& zone) { return zone.withheld; });
  const std::size_t size = std::bit_ceil(items.size() * 2 + 16);
  out->slots_.resize(size);
  out->mask_ = size - 1;
  out->shift_ = 64 - static_cast<unsigned>(std::countr_zero(size));
  out->kept_.reserve(items.size());
  out->proofs_.resize(out->zones_->nodes().size());
  for (Item& item : items) {
    if (item.set != nullptr) out->put(std::move(item));
  }
  for (Proofs& proofs : out->proofs_) {
    if (proofs.no_data.set == nullptr) proofs.no_data = proofs.full;
  }
  return out;
}

void SignedZones::put(Item item) {
  const SignedSet& set = *item.set;
  const std::uint64_t key = std::uint64_t{item.node} << 32 | item.ref;
  std::size_t at = place_of(key);
  while (slots_[at].set != nullptr) at = (at + 1) & mask_;
  slots_[at] = {key,
                &set,
                set.block.data(),
                static_cast<std::uint16_t>(set.entries),
                static_cast<std::uint16_t>(set.stride),
                static_cast<std::uint16_t>(set.count),
                set.form,
                set.signatures};
  if (item.ref == ref(Special::kNsecFull)) proofs_[item.node].full = proof(set);
  if (item.ref == ref(Special::kNsecNoData)) proofs_[item.node].no_data = proof(set);
  kept_.push_back(std::move(item.set));
}

std::size_t SignedZones::memory() const {
  std::size_t out = slots_.capacity() * sizeof(Slot) + kept_.capacity() * sizeof(kept_[0]) +
                    proofs_.capacity() * sizeof(Proofs);
  for (const auto& set : kept_) out += set->memory();
  return out;
}

}  // namespace timepool::dns
