// The question of a DNS message (RFC 1035 4.1.2).
#pragma once

#include <string>

#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::wire::dns {

struct Question {
  DnsName name;
  RrType type = RrType::kA;
  RrClass klass = RrClass::kIn;

  bool operator==(const Question&) const = default;
};

// Errors: those of parse_name, kShortQuestion.
Result<Question, Malformed> parse_question(ByteReader& reader);
// "example.com. IN A"
std::string format(const Question& question);

}  // namespace timepool::wire::dns
