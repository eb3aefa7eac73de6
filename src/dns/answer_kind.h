// What an answer says, as far as limits on answers tell answers apart.
#pragma once

#include <cstdint>

#include "dns/reason.h"

namespace timepool::dns {

enum class AnswerKind : std::uint8_t {
  kRecords,   // of a name
  kDenial,    // NODATA or NXDOMAIN of a zone
  kReferral,  // to the servers of a zone below
  kError,     // anything else: no longer than what was asked
};

// What was truncated is what it would have been.
constexpr AnswerKind kind_of(Reason reason) {
  switch (reason) {
    case Reason::kAnswered:
    case Reason::kAnyMinimal:
    case Reason::kTruncated:
      return AnswerKind::kRecords;
    case Reason::kNoData:
    case Reason::kNxDomain:
      return AnswerKind::kDenial;
    case Reason::kReferral:
      return AnswerKind::kReferral;
    default:
      return AnswerKind::kError;
  }
}

}  // namespace timepool::dns
