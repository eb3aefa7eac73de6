// SourceChoice: which of several URLs to ask next. The first that is not resting, in the order of
// preference; one that failed rests for a time that doubles with each failure, with jitter so that
// many nodes do not come back at the same moment. Values only: `now` is an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/prng.h"
#include "base/time.h"

namespace timepool::snapshot {

class SourceChoice {
 public:
  // `count` at least 1. A rest lasts between half of and all of first_rest * 2^failures, at most
  // longest_rest.
  SourceChoice(std::size_t count, Duration first_rest, Duration longest_rest, std::uint64_t seed);

  // The index to ask now; nothing when all rest.
  std::optional<std::size_t> choose(MonoTime now) const;
  // When the first of them has rested.
  MonoTime ready_at() const;
  void succeeded(std::size_t index);
  void failed(std::size_t index, MonoTime now);

 private:
  struct Source {
    unsigned failures = 0;
    MonoTime rests_until;
    bool resting = false;
  };
  std::vector<Source> sources_;
  Duration first_rest_;
  Duration longest_rest_;
  Prng prng_;
};

}  // namespace timepool::snapshot
