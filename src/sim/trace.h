// Trace: a hash over everything that happens in a simulated world, in its order. Two runs of one
// seed have the same; a difference shows that something came from outside the seed.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/time.h"

namespace timepool::sim {

class Trace {
 public:
  void add(UnixTime when, std::string_view what, Bytes data = {});
  void add(UnixTime when, std::string_view what, std::uint64_t number);
  std::uint64_t hash() const { return hash_; }
  std::uint64_t entries() const { return entries_; }

 private:
  void mix(std::uint64_t word);
  void mix(Bytes data);

  std::uint64_t hash_ = 0x6a09e667f3bcc908;
  std::uint64_t entries_ = 0;
};

}  // namespace timepool::sim
