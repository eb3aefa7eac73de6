// SignedSet: the answers that one owner gives from one record set, with their signatures. A set
// with few subsets has the signature of each of them: the draw is that of an unsigned answer, and
// its signature is found by number (subset.h). A set with many has draws that were made by weight
// beforehand; an answer is one of them. Of both only signatures are kept, for records are where
// unsigned answers have them: 72 octets a draw of four. What is given whole is kept whole.
// Immutable, but for how often it was asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "base/zeroed.h"
#include "dnssec/rrsig.h"

namespace timepool::dns {

// What an answer needs of a signed set, behind each other from the start of a cache line: how often
// it was asked for, then `octets`. Shared by all who read it; the count alone changes.
class SignedBlock {
 public:
  // Counting ends here.
  static constexpr std::uint32_t kMostAsked = 4096;

  SignedBlock() = default;
  explicit SignedBlock(Bytes octets)
      : size_(octets.size()), lines_(make_zeroed<std::byte>(kFront + octets.size())) {
    std::memcpy(lines_.get() + kFront, octets.data(), octets.size());
  }

  Bytes octets() const { return {lines_.get() + kFront, size_}; }
  // Where octets() begin.
  std::byte* data() const { return lines_.get() + kFront; }
  std::size_t memory() const { return kFront + size_; }

  // Of the block whose octets begin at `data`, by any thread. Counts that get lost do no harm, and
  // past kMostAsked it is only read: threads need no common order.
  static void note_asked(std::byte* data) {
    const auto it = count(data);
    const std::uint32_t before = it.load(std::memory_order_relaxed);
    if (before < kMostAsked) it.store(before + 1, std::memory_order_relaxed);
  }
  std::uint32_t asked() const { return count(data()).load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kFront = 8;
  static std::atomic_ref<std::uint32_t> count(std::byte* data) {
    return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(data - kFront));
  }

  std::size_t size_ = 0;
  Zeroed<std::byte> lines_;
};

struct SignedSet {
  enum class Form : std::uint8_t {
    kSubsets,  // an entry for each subset
    kDraws,    // an entry for each draw
    kWhole,    // records and RRSIGs of each draw, or of the one answer that there is
  };

  // --- kSubsets and kDraws: `block` has heads and then entries ---
  // The RRSIG record of key `i` with owner C0 0C up to its signature.
  Bytes head(std::uint32_t i) const {
    const std::size_t size = entries / signatures;
    return block.octets().subspan(i * size, size);
  }
  // Signatures of each key; of kDraws behind them which records it has, 16 bits of this machine for
  // each.
  const std::byte* entry(std::uint32_t index) const {
    return block.data() + entries + std::size_t{index} * stride;
  }
  Bytes signature(std::uint32_t index, std::uint32_t key) const {
    return {entry(index) + std::size_t{key} * dnssec::kSignatureSize, dnssec::kSignatureSize};
  }
  static std::uint32_t number_in(const std::byte* numbers, std::size_t i) {
    std::uint16_t out = 0;
    std::memcpy(&out, numbers + 2 * i, 2);
    return out;
  }

  // --- kWhole: `block` has answers behind each other ---
  // Records with owner C0 0C: those of one answer, its RRSIGs behind them.
  Bytes answer(std::uint32_t index) const {
    return block.octets().subspan(offsets[index], offsets[index + 1] - offsets[index]);
  }
  // Which records of the set an answer has; none where those of answers are not counted.
  std::span<const std::uint16_t> drawn_of(std::uint32_t index) const {
    if (drawn.empty()) return {};
    return std::span(drawn).subspan(std::size_t{index} * take, take);
  }
  // The first answer without its signatures, for clients that do not ask for them.
  Bytes plain() const { return block.octets().first(plain_size); }

  // Its answers are draws: to be made anew now and then.
  bool is_drawn() const { return form == Form::kDraws || (form == Form::kWhole && take < items); }
  // How often answers of it were asked for, and then handed out.
  std::uint32_t asked() const { return block.asked(); }
  void note_asked() const { SignedBlock::note_asked(block.data()); }

  Form form = Form::kSubsets;
  std::uint8_t signatures = 0;  // RRSIG records of an answer: one for each key that signs
  std::uint16_t take = 0;       // other records of an answer
  std::uint32_t items = 0;      // records of the set
  std::uint32_t count = 0;      // subsets or draws
  std::uint32_t kept = 0;       // of them, the first ones: those of the set that it grew from
  std::uint32_t entries = 0;    // kSubsets and kDraws: where they begin
  std::uint32_t stride = 0;     // octets of each
  std::uint32_t plain_size = 0;
  SignedBlock block;
  // Names in other case make equal records (RFC 4034 6.2), which a wildcard's answers have once:
  // fewer than `take` may be in one.
  bool repeats = false;
  std::vector<std::uint32_t> offsets;  // kWhole: count + 1 of them
  std::vector<std::uint16_t> drawn;    // kWhole of weighted sets: `take` for each

  // --- for those who keep it fresh ---
  std::uint64_t content = 0;    // of all that is signed: equal for sets that may replace each other
  std::uint64_t weights = 0;    // of what draws depend on besides
  std::uint32_t signed_at = 0;  // Unix seconds modulo 2^32
  std::uint32_t ttl = 0;
  dnssec::Lifetime lifetime = dnssec::Lifetime::kStatic;

  std::size_t memory() const {
    return sizeof(SignedSet) + block.memory() + offsets.capacity() * 4 + drawn.capacity() * 2;
  }
};

}  // namespace timepool::dns
