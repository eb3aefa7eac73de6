#include "base/public_prefix.h"

#include <algorithm>
#include <vector>

#include "base/special_blocks.h"

namespace timepool {
namespace {

Prefix prefix_of(const Block& block, bool v4) {
  const Bytes bytes = std::as_bytes(std::span(block.base));
  return {IpAddress::from_bytes(bytes.first(v4 ? 4 : 16)), block.length};
}

std::vector<Prefix> special_prefixes(bool v4) {
  std::vector<Prefix> out;
  if (v4) {
    for (const Block& block : kSpecialV4) out.push_back(prefix_of(block, true));
  } else {
    for (const Block& block : kSpecialV6) out.push_back(prefix_of(block, false));
  }
  return out;
}

// The upper half of a block that is longer than one address.
Prefix upper_half(const Prefix& prefix) {
  std::array<std::byte, 16> bytes{};
  const Bytes base = prefix.base().bytes();
  std::copy(base.begin(), base.end(), bytes.begin());
  const auto bit = static_cast<std::size_t>(prefix.length());
  bytes[bit / 8] |= std::byte{0x80} >> (bit % 8);
  return {IpAddress::from_bytes(Bytes(bytes).first(base.size())), prefix.length() + 1};
}

// Goes into both halves only along special blocks, of which there are 18 at most, 48 bits deep.
bool reaches_outside(const Prefix& prefix, const std::vector<Prefix>& special) {
  const auto covers = [&](const Prefix& it) { return it.contains(prefix); };
  if (std::any_of(special.begin(), special.end(), covers)) return false;
  const auto inside = [&](const Prefix& it) { return prefix.contains(it); };
  if (std::none_of(special.begin(), special.end(), inside)) return true;
  return reaches_outside({prefix.base(), prefix.length() + 1}, special) ||
         reaches_outside(upper_half(prefix), special);
}

}  // namespace

bool holds_public_address(const Prefix& prefix) {
  const std::vector<Prefix> special = special_prefixes(prefix.base().is_v4());
  if (prefix.base().is_v4()) return reaches_outside(prefix, special);
  const Prefix global = prefix_of(kGlobalV6, false);
  if (prefix.contains(global)) return reaches_outside(global, special);
  return global.contains(prefix) && reaches_outside(prefix, special);
}

}  // namespace timepool
