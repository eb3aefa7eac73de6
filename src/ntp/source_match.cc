#include "ntp/source_match.h"

namespace timepool::ntp {

SourceMatch::SourceMatch(std::string_view text) : name_(text) {
  const Result<Prefix> prefix = parse_prefix(text);
  if (prefix.ok()) prefix_ = *prefix;
}

bool SourceMatch::matches(const Source& source) const {
  if (name_.empty() || source.config().name == name_) return true;
  const Result<IpAddress> literal = parse_ip(source.config().name);
  return literal.ok() && matches(*literal);
}

}  // namespace timepool::ntp
