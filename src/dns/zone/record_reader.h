// The record forms of a zone document: from the JSON value of one record to wire data and weight.
// Used by the zone loader only.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

// A fault of a value: the member of the record that is wrong (empty: the record itself), and why.
struct RecordFault {
  JsonStep step;
  bool has_step = false;
  std::string text;
};

// An integer, or a text of one as geodns takes it; fractions are cut. Null when it is neither or
// outside [min, max]: `why` then has the text.
std::optional<std::int64_t> integer_of(const boost::json::value& value, std::int64_t min,
                                       std::int64_t max, std::string& why);

struct ReadRecord {
  ZoneRecord record;
  std::string test;  // its own "health": "FILE/KEY"
};

// Types that geodns does not know are texts as in a master file ("0 issue \"ca.example\""), alone
// or as ["text", weight] or {"caa": text, "weight": w}. nullopt for a record without content, which
// is left out (an empty TXT).
Result<std::optional<ReadRecord>, RecordFault> read_record(wire::dns::RrType type,
                                                           const boost::json::value& value,
                                                           wire::dns::NameView origin);

}  // namespace timepool::dns
