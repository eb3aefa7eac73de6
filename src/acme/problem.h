// Problem documents: how an authority says what is wrong (RFC 8555 6.7, RFC 7807).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "acme/fault.h"

namespace timepool::acme {

struct Problem {
  // Without "urn:ietf:params:acme:error:": "badNonce", "rateLimited". Another URI stays whole.
  std::string type;
  std::string detail;
  std::string instance;  // a page for a person
  struct Part {
    std::string type;
    std::string detail;
    std::string name;  // of the identifier
  };
  std::vector<Part> parts;

  static constexpr std::size_t kMaxParts = 100;
  // Octets of each text; what is longer is cut. Control characters become '?'.
  static constexpr std::size_t kMaxText = 1024;
  bool empty() const { return type.empty() && detail.empty() && parts.empty(); }
};

// Whatever `body` holds; an empty one when it is no problem document.
Problem parse_problem(std::string_view body);
// One line: "the name does not resolve (dns); time.example.org: no A record (dns)".
std::string describe(const Problem& problem);
// By its type (RFC 8555 6.7, RFC 9773, profiles) and the status that it came with.
FailureKind kind_of(const Problem& problem, int status);

}  // namespace timepool::acme
