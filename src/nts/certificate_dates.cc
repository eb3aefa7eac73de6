#include "nts/certificate_dates.h"

#include <algorithm>

namespace timepool::nts {

std::string_view name_of(DatesJudged judged) {
  constexpr std::string_view kNames[] = {"not", "own_clock", "agreed"};
  return kNames[static_cast<std::size_t>(judged)];
}

DateRule date_rule(const DateSettings& settings, std::uint64_t updates,
                   const std::optional<UnixTime>& agreed, UnixTime own) {
  if (updates < settings.unchecked_updates) return {false, settings.earliest, DatesJudged::kNot};
  // What the sources agree on may be before the last good time, if a person has overruled that.
  if (agreed) return {true, *agreed, DatesJudged::kByAgreed};
  return {true, std::max(own, settings.earliest), DatesJudged::kByOwnClock};
}

}  // namespace timepool::nts
