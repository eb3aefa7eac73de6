// SourceMatch: which sources a command of the operator means: all, one by its configured name, one
// server by its address, or those in a prefix.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip.h"
#include "ntp/source.h"

namespace timepool::ntp {

class SourceMatch {
 public:
  // "" is all. Anything that is neither an address nor a prefix is a name.
  explicit SourceMatch(std::string_view text);

  // Whether it means the source as a whole, with all its servers.
  bool matches(const Source& source) const;
  // Whether it means this server, whatever its source.
  bool matches(const IpAddress& server) const { return prefix_ && prefix_->contains(server); }

 private:
  std::string name_;
  std::optional<Prefix> prefix_;
};

}  // namespace timepool::ntp
