// StampLog: which reply each of the kernel's times of sending belongs to. The kernel numbers the
// messages of a socket that asked for one; the worker notes here, in the same order, what it calls
// them. One socket, one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace timepool::net {

class StampLog {
 public:
  // More are never under way: they are taken in after every batch, and a batch asks for few.
  static constexpr std::size_t kRoom = 64;
  // What comes later than this after the send call belongs to another.
  static constexpr Duration kLatest = Duration::seconds(1);

  // The next reply that asks, called `name`, begins to be sent at `begun`.
  void note(std::uint64_t name, UnixTime begun) {
    entries_[next_ % kRoom] = {name, next_, begun, true};
    ++next_;
  }
  // The name of the `number`th, once; nothing when it is not known or `at` can't be its time.
  std::optional<std::uint64_t> take(std::uint32_t number, UnixTime at) {
    Entry& entry = entries_[number % kRoom];
    const bool fits =
        entry.open && entry.number == number && at >= entry.begun && at - entry.begun < kLatest;
    if (!fits) return std::nullopt;
    entry.open = false;
    return entry.name;
  }
  // The numbers begin anew.
  void clear() { *this = StampLog(); }

 private:
  struct Entry {
    std::uint64_t name = 0;
    std::uint32_t number = 0;
    UnixTime begun;
    bool open = false;
  };
  std::array<Entry, kRoom> entries_{};
  std::uint32_t next_ = 0;
};

}  // namespace timepool::net
