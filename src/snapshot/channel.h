// The name of a snapshot channel ("dns"): part of a URL and of file names.
#pragma once

#include <algorithm>
#include <string_view>

namespace timepool::snapshot {

inline constexpr std::size_t kMaxChannelName = 32;

// 1 to 32 of a-z, 0-9 and -.
inline bool is_channel_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxChannelName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace timepool::snapshot
