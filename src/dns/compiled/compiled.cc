#include "dns/compiled/compiled.h"

#include <cstring>

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

// The table is fixed once built, so a stranger who finds names of equal hash gains one comparison.
std::uint64_t hash_label(std::uint64_t hash, const std::byte* label) {
  std::size_t left = 1 + std::to_integer<std::size_t>(*label);
  while (left > 8) {
    hash = mix(hash, word_at(label));
    label += 8;
    left -= 8;
  }
  return mix(hash, word_at(label) & (~std::uint64_t{0} >> (64 - 8 * left)));
}

}  // namespace

HashedName::HashedName(wire::dns::NameView name) {
  const Bytes wire = name.wire();
  size_ = wire.size();
  // Whole words of the copy, the last one short. Label lengths lie below 'A'.
  std::size_t at = 0;
  for (; at + 8 <= size_; at += 8) {
    const std::uint64_t word = lower8(word_at(wire.data() + at));
    std::memcpy(lower_.data() + at, &word, 8);
  }
  const std::uint64_t rest = lower8(last_of(wire, size_ - at));
  std::memcpy(lower_.data() + at, &rest, 8);

  for (at = 0; at + 1 < size_; at += 1 + std::to_integer<std::size_t>(lower_[at])) {
    starts_[label_count_++] = static_cast<std::uint8_t>(at);
  }
  starts_[label_count_] = static_cast<std::uint8_t>(size_ - 1);
  hashes_[label_count_] = 0;
  for (std::size_t i = label_count_; i > 0; --i) {
    hashes_[i - 1] = hash_label(hashes_[i], lower_.data() + starts_[i - 1]);
  }
}

const CompiledZones::Node* CompiledZones::probe(Bytes name, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.node == kNone) return nullptr;
    if (slot.hash != hash) continue;
    const Node& node = nodes_[slot.node];
    if (node.name_size == name.size() &&
        std::memcmp(bytes_.data() + node.name, name.data(), name.size()) == 0) {
      return &node;
    }
  }
}

CompiledZones::Place CompiledZones::find(const HashedName& name) const {
  // Names with more labels than any of ours can only be below one of ours.
  const std::size_t labels = name.label_count();
  const std::size_t first = labels > max_labels_ ? labels - max_labels_ : 0;
  for (std::size_t skip = first; skip <= labels; ++skip) {
    const Node* node = probe(name.suffix(skip), name.hash(skip));
    // What is hidden lies below a cut, which is found next.
    if (node == nullptr || node->kind == NodeKind::kHidden) continue;
    const ZoneInfo* zone = &zones_[node->zone];
    if (skip == 0) return {node, node, zone};
    return {node->wildcard == kNone ? nullptr : &nodes_[node->wildcard], node, zone};
  }
  return {};
}

const CompiledZones::Entry* CompiledZones::entry(const Node& node, wire::dns::RrType type) const {
  const Entry* other = nullptr;
  const Entry* at = entries_.data() + node.entries;
  for (const Entry* end = at + node.entry_count; at != end; ++at) {
    if (at->type == type) return at;
    if (at->type == wire::dns::RrType{}) other = at;
  }
  return other;
}

std::size_t CompiledZones::memory() const {
  std::size_t out = slots_.capacity() * sizeof(Slot) + nodes_.capacity() * sizeof(Node) +
                    entries_.capacity() * sizeof(Entry) + sets_.capacity() * sizeof(Set) +
                    (class_sets_.capacity() + offsets_.capacity() + weights_.capacity()) * 4 +
                    bytes_.capacity() + columns_.capacity() * sizeof(AliasColumn);
  return out;
}

}  // namespace timepool::dns
