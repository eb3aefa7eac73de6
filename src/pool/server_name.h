// Names that members choose for their servers: a label below the pool ("alice", which becomes
// alice.m.pool.example), or a whole name of their own outside the pool. Lower case, without the
// last dot. A label never has a dot, a whole name always has one, so one text tells which it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::pool {

// RFC 1123 2.1 and RFC 1035 2.3.4, and no shorter than what a person would call a name: two letters
// are countries.
inline constexpr std::size_t kMinServerLabel = 3;
inline constexpr std::size_t kMaxServerLabel = 63;
inline constexpr std::size_t kMaxServerName = 253;

enum class NameFault : std::uint8_t {
  kLength,      // of the label, or of a label of the name, or of the whole
  kCharacters,  // other than a-z, 0-9 and '-'
  kHyphen,      // first or last, or a second one at the third and fourth place (RFC 5891 4.2.3.1)
  kReserved,    // numbers, words of the pool's own, services, vendors
  kInside,      // a whole name in the pool's zone, where names are given by label only
  kNumericEnd,  // a whole name that ends as an address does
};
std::string_view explain(NameFault fault);

inline bool is_label(std::string_view name) {
  return name.find('.') == std::string_view::npos;
}

// A label that a member may have. `reserved`: words besides those that are reserved always.
Result<void, NameFault> check_label(std::string_view label, std::span<const std::string> reserved);
// A name outside `zone` ("pool.example") that a member brings.
Result<void, NameFault> check_own_name(std::string_view name, std::string_view zone);

// Whether nobody may have the label: a number, a word of the tables or one followed by a number
// ("ns1"), one of `reserved`.
bool is_reserved(std::string_view label, std::span<const std::string> reserved);

}  // namespace timepool::pool
