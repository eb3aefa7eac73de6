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
  for (Item& item : items) {
    if (item.set == nullptr) continue;
    const std::uint64_t key = std::uint64_t{item.node} << 32 | item.ref;
    std::size_t at = out->place_of(key);
    while (out->slots_[at].set != nullptr) at = (at + 1) & out->mask_;
    out->slots_[at] = {key, item.set.get()};
    out->kept_.push_back(std::move(item.set));
  }
  return out;
}

std::size_t SignedZones::memory() const {
  std::size_t out = slots_.capacity() * sizeof(Slot) + kept_.capacity() * sizeof(kept_[0]);
  for (const auto& set : kept_) out += set->memory();
  return out;
}

}  // namespace timepool::dns
