// SignedSet: the answers that one owner gives from one record set, with their signatures, ready to
// be copied. A set with few subsets has the signature of each of them: the draw is that of an
// unsigned answer, and its signature is found by number (subset.h). A set with many has variants
// that were drawn by weight beforehand; an answer is one of them. Immutable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_reader.h"
#include "base/check.h"
#include "dnssec/rrsig.h"

namespace timepool::dns {

struct SignedSet {
  enum class Form : std::uint8_t {
    kSubsets,   // `bytes` has the RRSIGs of each subset
    kVariants,  // `bytes` has records and RRSIGs of each variant
  };

  // Records with owner C0 0C: those of one answer (kVariants), its RRSIGs behind them.
  Bytes answer(std::uint32_t index) const {
    if (stride != 0) return Bytes(bytes).subspan(std::size_t{index} * stride, stride);
    return Bytes(bytes).subspan(offsets[index], offsets[index + 1] - offsets[index]);
  }
  // Which records of the set a variant has; none where those of answers are not counted.
  std::span<const std::uint16_t> drawn_of(std::uint32_t variant) const {
    if (drawn.empty()) return {};
    return std::span(drawn).subspan(std::size_t{variant} * take, take);
  }
  // The first variant without its signatures, for clients that do not ask for them.
  Bytes plain() const { return Bytes(bytes).first(plain_size); }

  Form form = Form::kSubsets;
  std::uint8_t signatures = 0;  // RRSIG records of an answer: one for each key that signs
  std::uint16_t take = 0;       // other records of an answer
  std::uint32_t items = 0;      // records of the set
  std::uint32_t count = 0;      // subsets or variants
  std::uint32_t stride = 0;     // octets of each in `bytes`; 0: by offsets
  std::uint32_t plain_size = 0;
  std::vector<std::byte> bytes;
  std::vector<std::uint32_t> offsets;  // stride 0: count + 1 of them
  std::vector<std::uint16_t> drawn;    // kVariants of weighted sets: `take` for each

  // --- for those who keep it fresh ---
  std::uint64_t content = 0;    // of all that is signed: equal for sets that may replace each other
  std::uint64_t weights = 0;    // of what draws depend on besides
  std::uint32_t signed_at = 0;  // Unix seconds modulo 2^32
  std::uint32_t ttl = 0;
  dnssec::Lifetime lifetime = dnssec::Lifetime::kStatic;

  std::size_t memory() const {
    return sizeof(SignedSet) + bytes.capacity() + offsets.capacity() * 4 + drawn.capacity() * 2;
  }
};

}  // namespace timepool::dns
