// Runs<Key>: a function over a whole address space that is constant on runs of addresses, kept as
// the sorted starts of the runs. It is the longest-prefix table of timepool: prefixes are flattened
// into it once, neighbours of equal value merge, and so a look-up also yields the widest prefix
// around an address on which the value does not change, which is exactly the scope that RFC 7871
// wants. Built once, then read by any number of threads.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/ip.h"

namespace timepool {

using V4Key = std::uint32_t;
__extension__ using V6Key = unsigned __int128;

template <class Key>
inline constexpr int kKeyBits = static_cast<int>(sizeof(Key) * 8);

// CHECKs the family.
V4Key v4_key(const IpAddress& address);
V6Key v6_key(const IpAddress& address);
IpAddress address_of(V4Key key);
IpAddress address_of(V6Key key);

template <class Key>
Key key_of(const IpAddress& address) {
  if constexpr (std::is_same_v<Key, V4Key>) {
    return v4_key(address);
  } else {
    return v6_key(address);
  }
}

// Leading zero bits; value != 0.
inline int leading_zeros(V4Key value) {
  return std::countl_zero(value);
}
inline int leading_zeros(V6Key value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return high != 0 ? std::countl_zero(high)
                   : 64 + std::countl_zero(static_cast<std::uint64_t>(value));
}

template <class Key>
struct PrefixValue {
  Key base = 0;  // bits past length are 0
  int length = 0;
  std::uint32_t value = 0;

  Key last() const {
    return length == 0 ? static_cast<Key>(~Key{0})
                       : static_cast<Key>(base | (length == kKeyBits<Key>
                                                      ? Key{0}
                                                      : static_cast<Key>(~Key{0}) >> length));
  }
};

template <class Key>
class Runs {
 public:
  // One run over everything.
  explicit Runs(std::uint32_t value = 0) : firsts_{0}, values_{value} {}

  // The value from `first` on, up to the next call's `first`, which must not be smaller. Begin with
  // 0; equal neighbours merge.
  class Builder {
   public:
    void append(Key first, std::uint32_t value) {
      if (!firsts_.empty()) {
        CHECK(first >= firsts_.back());
        if (first == firsts_.back()) {
          firsts_.pop_back();
          values_.pop_back();
        }
        if (!values_.empty() && values_.back() == value) return;
      } else {
        CHECK(first == 0);
      }
      firsts_.push_back(first);
      values_.push_back(value);
    }
    Runs finish() && {
      if (firsts_.empty()) append(0, 0);
      Runs out;
      out.firsts_ = std::move(firsts_);
      out.values_ = std::move(values_);
      out.firsts_.shrink_to_fit();
      out.values_.shrink_to_fit();
      out.index();
      return out;
    }

   private:
    std::vector<Key> firsts_;
    std::vector<std::uint32_t> values_;
  };

  // The prefixes, where the longest that covers an address wins, over `background`. Of two equal
  // prefixes the later in the span wins.
  static Runs flatten(std::span<const PrefixValue<Key>> prefixes, std::uint32_t background = 0);

  struct Match {
    std::uint32_t value = 0;
    int scope = 0;  // length of the widest prefix around the address with this value throughout
  };

  std::size_t size() const { return firsts_.size(); }
  std::size_t memory() const {
    return firsts_.capacity() * sizeof(Key) +
           (values_.capacity() + index_.capacity()) * sizeof(std::uint32_t);
  }
  Key first(std::size_t run) const { return firsts_[run]; }
  std::uint32_t value(std::size_t run) const { return values_[run]; }

  std::uint32_t value_at(Key key) const { return values_[run_of(key)]; }
  Match match(Key key) const {
    const std::size_t run = run_of(key);
    // The widest prefix that holds neither the address before the run nor the one behind it.
    int scope = 0;
    if (run > 0) scope = leading_zeros(static_cast<Key>(key ^ (firsts_[run] - 1))) + 1;
    if (run + 1 < firsts_.size()) {
      scope = std::max(scope, leading_zeros(static_cast<Key>(key ^ firsts_[run + 1])) + 1);
    }
    return {values_[run], scope};
  }
  bool operator==(const Runs& other) const {
    return firsts_ == other.firsts_ && values_ == other.values_;
  }

 private:
  // The part of the key that picks an index entry: the top 16 bits of an IPv4 address; of an IPv6
  // address the 16 bits behind the first three, since what is given out lies in 2000::/3.
  static constexpr std::size_t kSlots = 65536;
  static constexpr int kShift = sizeof(Key) == 4 ? 16 : 109;
  static bool in_index(Key key) {
    if constexpr (sizeof(Key) == 4) return true;
    return static_cast<unsigned>(key >> (kKeyBits<Key> - 3)) == 1;
  }
  static std::size_t slot_of(Key key) { return static_cast<std::size_t>(key >> kShift) & 0xffff; }

  std::size_t run_of(Key key) const {
    auto low = firsts_.begin();
    auto high = firsts_.end();
    if (!index_.empty() && in_index(key)) {
      const std::size_t slot = slot_of(key);
      low += index_[slot];
      high = firsts_.begin() + index_[slot + 1];
    }
    // Everything before `low` starts at or before the slot, everything from `high` on after it.
    return static_cast<std::size_t>(std::upper_bound(low, high, key) - firsts_.begin()) - 1;
  }
  void index();

  std::vector<Key> firsts_;
  std::vector<std::uint32_t> values_;
  std::vector<std::uint32_t> index_;  // by slot: the first run that starts behind the slot's start
};

template <class Key>
Runs<Key> Runs<Key>::flatten(std::span<const PrefixValue<Key>> prefixes, std::uint32_t background) {
  // By pointer, so that equal blocks keep their order.
  std::vector<const PrefixValue<Key>*> sorted;
  for (const auto& prefix : prefixes) sorted.push_back(&prefix);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    if (a->base != b->base) return a->base < b->base;
    return a->length != b->length ? a->length < b->length : a < b;
  });
  Builder builder;
  builder.append(0, background);
  std::vector<PrefixValue<Key>> open;  // nested, the innermost last
  const auto close_before = [&](Key start, bool all) {
    while (!open.empty() && (all || open.back().last() < start)) {
      const Key last = open.back().last();
      // What lay behind a duplicate of the same block is hidden as well.
      open.pop_back();
      while (!open.empty() && open.back().last() == last) open.pop_back();
      if (last == static_cast<Key>(~Key{0})) {
        open.clear();
        return;
      }
      builder.append(last + 1, open.empty() ? background : open.back().value);
    }
  };
  for (const auto* prefix : sorted) {
    close_before(prefix->base, false);
    builder.append(prefix->base, prefix->value);
    open.push_back(*prefix);
  }
  close_before(0, true);
  return std::move(builder).finish();
}

template <class Key>
void Runs<Key>::index() {
  // Small tables are searched as fast without.
  constexpr std::size_t kMinRuns = 64;
  if (firsts_.size() < kMinRuns) return;
  index_.resize(kSlots + 1);
  std::size_t run = 0;
  const Key step = static_cast<Key>(Key{1} << kShift);
  Key start = sizeof(Key) == 4 ? Key{0} : static_cast<Key>(Key{1} << (kKeyBits<Key> - 3));
  for (std::size_t slot = 0; slot < kSlots; ++slot, start = static_cast<Key>(start + step)) {
    while (run < firsts_.size() && firsts_[run] <= start) ++run;
    index_[slot] = static_cast<std::uint32_t>(run);
  }
  const Key last = static_cast<Key>(start - 1);  // IPv4: wraps to the last address
  while (run < firsts_.size() && firsts_[run] <= last) ++run;
  index_[kSlots] = static_cast<std::uint32_t>(run);
}

// combine(merge, a, b, ...): the runs of merge(a's value, b's value, ...), all over one key.
template <class Key, class Merge, class... More>
Runs<Key> combine(const Merge& merge, const Runs<Key>& head, const More&... more) {
  typename Runs<Key>::Builder builder;
  constexpr std::size_t kCount = 1 + sizeof...(more);
  const Runs<Key>* parts[kCount] = {&head, &more...};
  std::size_t at[kCount] = {};
  Key first = 0;
  for (;;) {
    std::uint32_t values[kCount];
    for (std::size_t i = 0; i < kCount; ++i) values[i] = parts[i]->value(at[i]);
    builder.append(first, merge(std::span<const std::uint32_t, kCount>(values)));
    // The nearest next start of any part.
    bool any = false;
    Key next = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      if (at[i] + 1 < parts[i]->size() && (!any || parts[i]->first(at[i] + 1) < next)) {
        next = parts[i]->first(at[i] + 1);
        any = true;
      }
    }
    if (!any) break;
    for (std::size_t i = 0; i < kCount; ++i) {
      if (at[i] + 1 < parts[i]->size() && parts[i]->first(at[i] + 1) == next) ++at[i];
    }
    first = next;
  }
  return std::move(builder).finish();
}

}  // namespace timepool
