// Backoff: how long to wait before the next try after failures: doubled with each up to a limit,
// and of that a random part between half and all, so that many who failed together don't return
// together.
#pragma once

#include <algorithm>

#include "base/duration.h"
#include "base/prng.h"

namespace timepool {

class Backoff {
 public:
  Backoff(Duration first, Duration longest, std::uint64_t seed)
      : first_(first), longest_(longest), next_(first), prng_(seed) {}

  // The wait after one more failure.
  Duration failed() {
    const Duration full = next_;
    next_ = std::min(next_ * 2, longest_);
    const Duration half = full / 2;
    return half + Duration::nanoseconds(static_cast<std::int64_t>(
                      prng_.below(static_cast<std::uint64_t>((full - half).ns()) + 1)));
  }
  void succeeded() { next_ = first_; }

 private:
  Duration first_;
  Duration longest_;
  Duration next_;
  Prng prng_;
};

}  // namespace timepool
