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
#include <vector>

#include "base/runs.h"

namespace timepool::dns {

class ClassIndex {
 public:
  // Everything is of class 0.
  ClassIndex() : ClassIndex(Runs<V4Key>()) {}
  // CHECKs that values are below 65536.
  explicit ClassIndex(const Runs<V4Key>& runs);

  struct Match {
    std::uint32_t value = 0;
    std::uint8_t scope = 0;  // length of the widest prefix around the address with this value
  };
  Match match(V4Key key) const {
    const std::uint32_t slot = slots_[key >> 16];
    if ((slot & kWhole) != 0) {
      return {slot & 0xffff, static_cast<std::uint8_t>(slot >> 16 & 0x7f)};
    }
    const std::uint32_t low = key & 0xffff;
    const std::size_t place = slot & kPlace;
    if ((slot & kMany) != 0) {
      const Block& block = blocks_[place];
      return at(low, block.first, ended_before(low, block), block.ends);
    }
    const std::size_t ends = slot >> kEndsShift;
    return at(low, place, ended_before(low, place, ends), ends);
  }

  std::size_t runs() const { return ends_.size() - 1 - kFew; }
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

  // A slot for each /16. It is of one class: kWhole, the scope (7 bits), the class (16). At most
  // kFew of its runs end within it: how many, and the place of the first in ends_. More: kMany, and
  // the place of its block in blocks_.
  static constexpr std::size_t kSlots = 65536;
  static constexpr std::uint32_t kWhole = 0x8000'0000;
  static constexpr std::uint32_t kMany = 0x4000'0000;
  static constexpr int kEndsShift = 26;
  static constexpr std::uint32_t kPlace = (1U << kEndsShift) - 1;
  static constexpr std::size_t kFew = 8;

  // How many of the block's runs end before `low`.
  std::size_t ended_before(std::uint32_t low, std::size_t first, std::size_t ends) const {
    // All at once, those that are of later slots too: they count as not ended.
    std::uint32_t ended = 0;
    for (std::size_t i = 0; i < kFew; ++i) {
      ended |= static_cast<std::uint32_t>(ends_[first + i] < low << 16) << i;
    }
    return static_cast<std::size_t>(std::countr_one(ended & ((1U << ends) - 1)));
  }
  std::size_t ended_before(std::uint32_t low, const Block& block) const {
    std::size_t out = 0;
    for (std::size_t left = block.ends; left > 0;) {
      const std::size_t half = (left + 1) / 2;
      out += ends_[block.first + out + half - 1] < low << 16 ? half : 0;
      left -= half;
    }
    return out;
  }
  // The run that is `ended` behind the block's first.
  Match at(std::uint32_t low, std::size_t first, std::size_t ended, std::size_t ends) const {
    const std::uint32_t before = ends_[first + ended - 1] >> 16;
    const std::uint32_t run = ends_[first + ended];
    // The widest prefix that holds neither the address before the run nor the one behind it. Those
    // of other /16s differ above: at least one is of this one.
    constexpr std::uint32_t kOutside = 0x1'0000;
    const std::uint32_t from_before = (low ^ before) | (ended == 0 ? kOutside : 0);
    const std::uint32_t from_behind = (low ^ ((run >> 16) + 1)) | (ended == ends ? kOutside : 0);
    const int scope = std::max(std::countl_zero(from_before), std::countl_zero(from_behind)) + 1;
    return {run & 0xffff, static_cast<std::uint8_t>(scope)};
  }

  std::vector<std::uint32_t> slots_;
  // For each run the lower half of its last address, and its class. One stands before them, and
  // kFew behind, that are read and do not count.
  std::vector<std::uint32_t> ends_;
  std::vector<Block> blocks_;
};

}  // namespace timepool::dns
