#include "ntp/server/server_state.h"

#include <algorithm>

namespace timepool::ntp {

Duration root_dispersion_at(const ServerState& state, UnixTime now) {
  const Duration age = std::max(now - state.made.value_or(state.reference_time), Duration());
  // Microseconds of age times parts in 10^9, so that the product stays far from the limit.
  const Duration growth =
      Duration::nanoseconds(age.ns() / 1'000'000) * std::max<std::int64_t>(state.dispersion_ppb, 0);
  return state.root_dispersion + growth / 1'000;
}

}  // namespace timepool::ntp
