// Tally: what was answered from one snapshot: for each record of its pools how often it was handed
// out, and for each zone how its queries ended. Each worker counts in a lane of its own; reading
// adds the lanes up. Counters have 32 bits and wrap: whoever reads them often enough (Accounting)
// takes differences.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/zeroed.h"
#include "dns/responder.h"

namespace timepool::dnsd {

// How a query for a zone's name ended.
enum class ZoneEnd : std::uint8_t { kRecords, kNoData, kNxDomain, kOther, kCount };
inline constexpr std::size_t kZoneEnds = static_cast<std::size_t>(ZoneEnd::kCount);

constexpr std::string_view name_of(ZoneEnd end) {
  constexpr std::array<std::string_view, kZoneEnds> kNames{"records", "no_data", "nxdomain",
                                                           "other"};
  return kNames[static_cast<std::size_t>(end)];
}

class Tally {
 public:
  Tally(std::shared_ptr<const dns::CompiledZones> zones, std::size_t lanes);

  // The thread of `lane` alone; no lock, no allocation. `handed` is what respond() left.
  void note(std::size_t lane, const dns::Outcome& outcome, const dns::HandedOut& handed) {
    if (outcome.zone == dns::Outcome::kNone) return;
    Lane& own = lanes_[lane];
    add_one(own.zones[outcome.zone * kZoneEnds + static_cast<std::size_t>(end_of(outcome.reason))]);
    if (outcome.reason != dns::Reason::kAnswered || outcome.pool == dns::Outcome::kNone) return;
    const std::uint32_t first = zones_->sets()[outcome.pool].weights;
    for (const std::uint32_t record : handed.list()) add_one(own.records[first + record]);
  }

  const dns::CompiledZones& zones() const { return *zones_; }
  // Records of pools have the numbers below this: a set's first one is Set::weights.
  std::size_t records() const { return records_; }
  // Modulo 2^32, from any thread.
  std::uint32_t handed(std::size_t record) const;
  std::uint32_t queries(std::size_t zone, ZoneEnd end) const;

 private:
  struct Lane {
    Zeroed<std::uint32_t> records;
    Zeroed<std::uint32_t> zones;
  };
  static ZoneEnd end_of(dns::Reason reason);
  // Written by one thread alone: no read-modify-write needed.
  static void add_one(std::uint32_t& counter) {
    const std::atomic_ref<std::uint32_t> it(counter);
    it.store(it.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  static std::uint32_t read(std::uint32_t& counter) {
    return std::atomic_ref<std::uint32_t>(counter).load(std::memory_order_relaxed);
  }

  std::shared_ptr<const dns::CompiledZones> zones_;
  std::size_t records_ = 0;
  std::vector<Lane> lanes_;
};

}  // namespace timepool::dnsd
