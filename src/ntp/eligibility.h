// Eligibility: which members have a vote about the time, and with what options once the policy
// about authentication has had its say.
#pragma once

#include <optional>
#include <span>

#include "ntp/candidate.h"

namespace timepool::ntp {

// The options of each candidate, in order. DEVIATION(rfc5905 11.2): the RFC knows no options.
StaticVector<SelectOptions, kMaxCandidates> effective_options(std::span<const Candidate> candidates,
                                                              const Absent& absent,
                                                              AuthSelection auth);

// The first reason for which this one has no vote; `options` are its effective ones.
std::optional<Cause> excluded(const Candidate& candidate, const SelectOptions& options,
                              const SelectionConfig& config);

}  // namespace timepool::ntp
