// A list of prefixes as a file: one a line, an address alone is its /32 or /128; what follows '#'
// or
// ';' and empty lines are left out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::ntp {

// A prefix with its place: 43 octets at the longest, the rest is comment.
inline constexpr std::size_t kMaxPrefixListLine = 1024;

// The first line that is no prefix.
struct PrefixListFault {
  std::size_t line = 0;  // from 1
  std::string text;      // "\"10.0.0.1/8\" has bits set behind its length", ...
};

// At most `max` prefixes.
Result<std::vector<Prefix>, PrefixListFault> parse_prefix_list(std::string_view text,
                                                               std::size_t max);

}  // namespace timepool::ntp
