// The data of records as text (RFC 1035 5.1, RFC 3597 5, and each type's own document): from words
// to wire form, checked as the wire form is. For master files and for the text form of records in
// zone documents.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/zone/master_lexer.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

struct RdataFault {
  std::size_t word = 0;  // its index; as many as there are words: one is missing
  std::string text;
};

// Whether `type` has a text form of its own here; others have that of RFC 3597 only.
bool has_text_form(wire::dns::RrType type);

// `words` are all that follows the type. Names without a last dot are below `origin`. No data is
// longer than kMaxRdata (zone.h). Errors: the first word that is wrong.
Result<std::vector<std::byte>, RdataFault> read_rdata(wire::dns::RrType type,
                                                      std::span<const Word> words,
                                                      wire::dns::NameView origin);

// The same of one text, as in "10 mx.example."; the fault says the word too.
Result<std::vector<std::byte>, std::string> read_rdata_text(wire::dns::RrType type,
                                                            std::string_view text,
                                                            wire::dns::NameView origin);

// The service parameters of SVCB and HTTPS in any order (RFC 9460 2.1), to wire form in their
// order, checked for consistence (2.4.3).
Result<std::vector<std::byte>, RdataFault> read_svcb_params(std::span<const Word> words);

// Seconds, also as "1w2d3h4m5s"; nullopt for anything else or what exceeds kMaxTtl (zone.h).
std::optional<std::uint32_t> read_ttl(std::string_view text);

}  // namespace timepool::dns
