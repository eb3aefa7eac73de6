// LastSeen: when something happened last and who did it, noted by one thread and read by any,
// without a lock: a reader that meets a note half made reads again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/ip.h"
#include "base/time.h"

namespace timepool::ntpd {

class LastSeen {
 public:
  struct Value {
    UnixTime at;
    Endpoint from;
  };

  // One thread.
  void note(UnixTime at, const Endpoint& from);
  // Nothing before the first note, and when notes come so fast that none can be read whole.
  std::optional<Value> value() const;

 private:
  // Time, address, address, family with scope and port.
  static constexpr std::size_t kWords = 4;
  using Words = std::array<std::uint64_t, kWords>;

  std::atomic<std::uint32_t> sequence_{0};  // odd while a note is being made
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace timepool::ntpd
