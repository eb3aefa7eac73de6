// Files of DNSSEC trust anchors: DS or DNSKEY records as text, one a line, with comments from ";"
// on: root.key of Debian's dns-root-data, what unbound-anchor keeps, and `timepool dns keys ds`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace timepool::net {

// Where Debian has the root's: of dns-root-data, and of unbound.
inline constexpr const char* kRootAnchorFiles[] = {"/usr/share/dns/root.key",
                                                   "/var/lib/unbound/root.key"};
inline constexpr std::size_t kMaxAnchors = 64;

// The records of a file's text, without comments. Errors name the line and what is wrong with it,
// kInvalid also when there are none or more than kMaxAnchors.
Result<std::vector<std::string>> parse_trust_anchors(std::string_view text);

// Of all these files; with none, of the first of kRootAnchorFiles that is there. Errors name the
// file; kNotFound for one that is not there, and for the system's.
Result<std::vector<std::string>> load_trust_anchors(const std::vector<std::string>& files);

}  // namespace timepool::net
