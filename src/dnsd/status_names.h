// The names by which geodns tells of itself, as pages that watch a pool's name servers read them:
//
//   _status.ZONE   TXT   {"v":VERSION,"id":IDENTITY,"h":HOST,"up":SECONDS}
//   _country.ZONE  TXT   the client, whom the answer is for, its targets, the scope, our identity
//
// in each zone that is served and in "pgeodns", with a TTL of a second, to loopback addresses only:
// they tell a stranger what he need not know. A name of the zone itself goes before them.
#pragma once

#include <cstdint>
#include <string>

#include "dns/responder.h"
#include "dnsd/serving.h"

namespace timepool::dnsd {

class StatusNames {
 public:
  // Of this process: it begins now.
  StatusNames();

  // Whether a query may be for such a name; then answer() is asked.
  static bool concerns(const dns::Rx& rx, const dns::Outcome& outcome) {
    return outcome.type == wire::dns::RrType::kTxt && rx.source.is_loopback() &&
           (outcome.reason == dns::Reason::kNxDomain ||
            outcome.reason == dns::Reason::kRefusedZone);
  }
  // The size of the answer, which takes the place of what respond() wrote; 0: it is no such name.
  std::uint16_t answer(const dns::Rx& rx, const dns::Outcome& outcome, Bytes request,
                       const Serving& serving, MutableBytes reply) const;

 private:
  std::string status_text(const dns::Rx& rx, const Serving& serving) const;

  std::string host_;
  std::uint32_t started_;  // Unix seconds modulo 2^32
};

}  // namespace timepool::dnsd
