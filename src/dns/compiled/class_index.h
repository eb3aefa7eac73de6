// ClassIndex: IPv4 addresses to classes of clients, and how wide the network is around an address
// that is of its class throughout: what Runs<V4Key>::match() gives, from less memory and without a
// jump that depends on the address. An address's /16 is looked at first; where that is of several
// classes, the few runs that it meets stand behind each other. Built once, then read by any number
// of threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/runs.h"

namespace timepool::dns {

class ClassIndex {
 public:
  // Nothing may be asked of it.
  ClassIndex() = default;
  // More runs than there are networks.
  static constexpr std::size_t kMaxRuns = (std::size_t{1} << 26) - 1;
  // CHECKs that values are below 65536, and the number of runs.
  explicit ClassIndex(const Runs<V4Key>& runs);

  struct Match {
    std::uint32_t value = 0;
    std::uint8_t scope = 0;  // length of the widest prefix around the address with this value
  };
  Match match(V4Key key) const {
    const Place at = place_of(key);
    const std::uint32_t scope = scope_of(key & 0xffff, at);
    return {unbiased(ends_[at.run]) & 0xffff,
            static_cast<std::uint8_t>((at.number & at.whole) | (scope & ~at.whole))};
  }
  std::uint32_t value_at(V4Key key) const { return unbiased(ends_[place_of(key).run]) & 0xffff; }
  // Has what match() reads first brought near.
  void prefetch(V4Key key) const {
    const auto* const slot = slots_.data() + (key >> 16);
    __builtin_prefetch(slot);
    // Else g++ takes this for a function without any effect, and leaves its calls out.
    asm volatile("" : : "r"(slot));
  }

  bool empty() const { return slots_.empty(); }
  std::size_t runs() const { return empty() ? 0 : ends_.size() - 1 - kFew; }
  std::size_t memory() const {
    return (slots_.capacity() + ends_.capacity()) * sizeof(std::uint32_t) +
           blocks_.capacity() * sizeof(Block);
  }

 private:
  // The runs that a /16 meets: the one that its first address is of, then those behind it. `ends`
  // of them end within it, and not with it.
  struct Block {
    std::uint32_t first = 0;
    std::uint32_t ends = 0;
  };

  // A slot for each /16, with the place in ends_ of the run that its first address is of. Where
  // that is its only one: kWhole, and as the number the scope, 0 to 16. Else how many runs end, 1
  // to kFew; or kMany, and the place is that of its block in blocks_.
  static constexpr std::size_t kSlots = 65536;
  static constexpr std::uint32_t kWhole = 0x8000'0000;
  static constexpr int kNumberShift = 26;
  static constexpr std::uint32_t kMany = 31;
  static constexpr std::uint32_t kPlace = (1U << kNumberShift) - 1;
  static constexpr std::size_t kFew = 8;

  // Half of kFew, compared at once. There is no comparison of numbers without a sign, so they are
  // kept with the highest bit turned over.
  using Lanes [[gnu::vector_size(16)]] = std::int32_t;
  static constexpr std::int32_t biased(std::uint32_t value) {
    return static_cast<std::int32_t>(value ^ 0x8000'0000);
  }
  static constexpr std::uint32_t unbiased(std::int32_t value) {
    return static_cast<std::uint32_t>(value) ^ 0x8000'0000;
  }
  static Lanes all(std::int32_t value) { return Lanes{value, value, value, value}; }
  Lanes lanes_at(std::size_t place) const {
    Lanes out;
    std::memcpy(&out, ends_.data() + place, sizeof(out));
    return out;
  }

  // How many of the `ends` from `first` on, at most kFew, are before `low`. Those of later slots
  // are looked at too and don't count.
  std::size_t ended_before(std::uint32_t low, std::size_t first, std::size_t ends) const {
    const Lanes target = all(biased(low << 16));
    const Lanes count = all(static_cast<std::int32_t>(ends));
    // Each lane is -1 where both hold.
    const Lanes one = (lanes_at(first) < target) & (Lanes{0, 1, 2, 3} < count);
    const Lanes two = (lanes_at(first + 4) < target) & (Lanes{4, 5, 6, 7} < count);
    const Lanes both = one + two;
    return static_cast<std::size_t>(-(both[0] + both[1] + both[2] + both[3]));
  }
  std::size_t ended_before(std::uint32_t low, const Block& block) const {
    std::size_t out = 0;
    for (std::size_t left = block.ends; left > 0;) {
      const std::size_t half = (left + 1) / 2;
      out += ends_[block.first + out + half - 1] < biased(low << 16) ? half : 0;
      left -= half;
    }
    return out;
  }
  // Where the run of an address is, and what its slot says.
  struct Place {
    std::size_t run = 0;
    bool first = false;       // the slot's first
    bool last = false;        // the slot's last
    std::uint32_t whole = 0;  // all bits or none
    std::uint32_t number = 0;
  };
  // The same is done for all slots, where nothing ends too, and chosen by bits: which kind a slot
  // is could not be foreseen.
  Place place_of(V4Key key) const {
    const std::uint32_t slot = slots_[key >> 16];
    const auto whole = static_cast<std::uint32_t>(static_cast<std::int32_t>(slot) >> 31);
    const std::uint32_t number = slot >> kNumberShift & kMany;
    std::size_t first = slot & kPlace;
    std::size_t ends = number & ~whole;
    std::size_t ended = 0;
    if (number != kMany) {
      ended = ended_before(key & 0xffff, first, ends);
    } else {
      const Block& block = blocks_[first];
      first = block.first;
      ends = block.ends;
      ended = ended_before(key & 0xffff, block);
    }
    return {first + ended, ended == 0, ended == ends, whole, number};
  }
  // The widest prefix that holds neither the address before the run nor the one behind it, at least
  // one of which is of the same /16. The other differs above.
  std::uint32_t scope_of(std::uint32_t low, const Place& at) const {
    const std::uint32_t before = unbiased(ends_[at.run - 1]) >> 16;
    const std::uint32_t behind = (unbiased(ends_[at.run]) >> 16) + 1;
    const std::uint32_t from_before = (low ^ before) | std::uint32_t{at.first} << 16;
    const std::uint32_t from_behind = (low ^ behind) | std::uint32_t{at.last} << 16;
    // The smaller number has its highest bit further down. It is 0 only of a /16 whose scope is
    // known.
    const std::uint32_t nearest = std::min(from_before, from_behind) | 1;
    return static_cast<std::uint32_t>(std::countl_zero(nearest)) + 1;
  }

  std::vector<std::uint32_t> slots_;
  // For each run the lower half of its last address, and its class. One stands before them, and
  // kFew behind, that are read and do not count.
  std::vector<std::int32_t> ends_;
  std::vector<Block> blocks_;
};

}  // namespace timepool::dns
