// Explain: what is known of one source in plain words: what its state is, why it is used or not,
// what would change that, and what happens next. A pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ntp/address_book.h"
#include "ntp/candidate.h"
#include "ntp/independence.h"
#include "ntp/selection.h"
#include "ntp/source_report.h"

namespace timepool::ntp {

// What is going to become of one line of the report.
struct Prospects {
  bool literal = false;  // configured as an address: nothing can take its place (F9)
  bool online = true;
  bool outage = false;  // nobody answers: nobody is replaced for it
  bool denied = false;  // DENY or RSTR was its last answer (B30)
  std::optional<Duration> next_request;
  std::optional<Duration> next_lookup;  // of its name
  // F5, F6: unanswered requests in a row that count against it, and how many make it fail; 0 never.
  std::uint32_t misses = 0;
  std::uint32_t misses_limit = 0;
  // F11: samples in a row that were of no use, and how many make a pool's server go.
  std::uint32_t useless = 0;
  std::uint32_t useless_limit = 0;
  // F11: no server that answers is replaced before this has passed.
  Duration replacements_rest;
  // Of its name: addresses known, and those of them not in use.
  std::size_t addresses = 0;
  std::size_t spare = 0;
  // The member that it depends on most.
  Dependence dependence = Dependence::kNone;
  std::string depends_on;
  // Addresses of its name that were given up, the latest first.
  struct Dropped {
    std::string address;
    DropCause cause = DropCause::kNone;
    Duration ago;
  };
  std::vector<Dropped> dropped;
};
// More of them are not told.
inline constexpr std::size_t kMaxDroppedTold = 3;

struct SourceFacts {
  SourceReport report;
  Prospects prospects;
  Tracking tracking;
  Agreement agreement = Agreement::kNobody;
  SelectionConfig config;
};

// The name of what is explained: "192.0.2.1:123 (pool.example)".
std::string title_of(const SourceFacts& facts);
// Sentences, in the order in which they are to be read.
std::vector<std::string> explain(const SourceFacts& facts);

}  // namespace timepool::ntp
