#include "dns/compiled/compiled.h"

#include <cstring>
#include <set>

#include "base/check.h"

namespace timepool::dns {
namespace {

std::uint64_t word_at(const std::byte* at) {
  std::uint64_t out = 0;
  std::memcpy(&out, at, sizeof(out));
  return out;
}

// The last `count` octets of `bytes`, fewer than eight, as a word whose others are zero.
std::uint64_t last_of(Bytes bytes, std::size_t count) {
  if (count == 0) return 0;
  if (bytes.size() >= 8) return word_at(bytes.data() + bytes.size() - 8) >> (64 - 8 * count);
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < count; ++i) {
    out |= std::to_integer<std::uint64_t>(bytes[bytes.size() - count + i]) << (8 * i);
  }
  return out;
}

// ASCII capitals of eight octets made small at once. Octets of 128 and more stay as they are.
std::uint64_t lower8(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr std::uint64_t kHigh = 0x8080'8080'8080'8080;
  const std::uint64_t low = word & ~kHigh;
  const std::uint64_t from_a = low + (0x80 - 'A') * kOnes;      // high bit: >= 'A'
  const std::uint64_t past_z = low + (0x80 - 'Z' - 1) * kOnes;  // high bit: > 'Z'
  return word | ((from_a & ~past_z & ~word & kHigh) >> 2);
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a ^ 0x9e37'79b9'7f4a'7c15) * (b ^ 0xc2b2'ae3d'27d4'eb4f);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Of the words of a name in lower case, the last one filled up with zeros. The table is fixed once
// built, so a stranger who finds names of equal hash gains one comparison.
std::uint64_t hash_word(std::uint64_t hash, std::uint64_t word) {
  return mix(hash, word);
}

std::uint64_t hash_of(Bytes lower) {
  std::uint64_t out = lower.size();
  std::size_t at = 0;
  for (; at + 8 <= lower.size(); at += 8) out = hash_word(out, word_at(lower.data() + at));
  return hash_word(out, last_of(lower, lower.size() - at));
}

}  // namespace

HashedName::HashedName(wire::dns::NameView name) : size_(name.size()), hash_(name.size()) {
  const Bytes wire = name.wire();
  // Whole words of the copy, the last one short. Label lengths lie below 'A'.
  std::size_t at = 0;
  for (; at + kWord <= size_; at += kWord) {
    const std::uint64_t word = lower8(word_at(wire.data() + at));
    std::memcpy(lower_.data() + at, &word, kWord);
    hash_ = hash_word(hash_, word);
  }
  const std::uint64_t rest = lower8(last_of(wire, size_ - at));
  std::memcpy(lower_.data() + at, &rest, kWord);
  std::memset(lower_.data() + at + kWord, 0, kWord);
  hash_ = hash_word(hash_, rest);
}

CompiledZones::Place CompiledZones::find_above(const HashedName& name) const {
  // The root's label counts as one here.
  std::array<std::uint8_t, wire::dns::kMaxLabels + 1> starts;
  const Bytes wire = name.wire();
  std::size_t labels = 0;
  for (std::size_t at = 0; at < wire.size(); at += 1 + std::to_integer<std::size_t>(wire[at])) {
    starts[labels++] = static_cast<std::uint8_t>(at);
  }
  // Names with more labels than any of ours can only be below one of ours.
  const std::size_t first = labels > max_labels_ + 1 ? labels - max_labels_ - 1 : 1;
  for (std::size_t skip = first; skip < labels; ++skip) {
    const Bytes above = wire.subspan(starts[skip]);
    const Node* node = probe(above, hash_of(above));
    if (node == nullptr || node->kind == NodeKind::kHidden) continue;
    return {node->wildcard == kNone ? nullptr : &nodes_[node->wildcard], node, &zones_[node->zone]};
  }
  return {};
}

std::size_t CompiledZones::memory() const {
  std::size_t out = slots_.capacity() * sizeof(Slot) + nodes_.capacity() * sizeof(Node) +
                    entries_.capacity() * sizeof(Entry) + sets_.capacity() * sizeof(Set) +
                    (class_sets_.capacity() + offsets_.capacity() + weights_.capacity()) * 4 +
                    bytes_.capacity() + columns_.capacity() * sizeof(AliasColumn);
  // Zones that ask for the same targets have one table.
  std::set<const ClassTable*> tables;
  for (const ZoneInfo& zone : zones_) {
    if (tables.insert(zone.classes.get()).second) out += zone.classes->memory();
  }
  return out;
}

}  // namespace timepool::dns
