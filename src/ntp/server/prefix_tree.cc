#include "ntp/server/prefix_tree.h"

#include <vector>

namespace timepool::ntp {
namespace {

template <class Key>
Runs<Key> runs_of(std::span<const PrefixTree::Entry> entries, std::uint32_t background) {
  constexpr bool kIsV4 = std::is_same_v<Key, V4Key>;
  std::vector<PrefixValue<Key>> out;
  for (const PrefixTree::Entry& entry : entries) {
    if (entry.prefix.base().is_v4() != kIsV4) continue;
    out.push_back({key_of<Key>(entry.prefix.base()), entry.prefix.length(), entry.value});
  }
  return Runs<Key>::flatten(out, background);
}

}  // namespace

Result<PrefixTree, PrefixTreeFault> PrefixTree::build(std::span<const Entry> entries,
                                                      std::uint32_t background) {
  if (entries.size() > kMaxEntries) return fail(PrefixTreeFault::kTooMany);
  PrefixTree out(background);
  out.v4_ = runs_of<V4Key>(entries, background);
  out.v6_ = runs_of<V6Key>(entries, background);
  return out;
}

}  // namespace timepool::ntp
