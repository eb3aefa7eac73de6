#include "dnsd/tally.h"

#include <algorithm>

namespace timepool::dnsd {
namespace {

std::size_t records_of(const dns::CompiledZones& zones) {
  std::size_t out = 0;
  for (const auto& set : zones.sets()) {
    if (set.weighted) out = std::max<std::size_t>(out, std::size_t{set.weights} + set.count);
  }
  return out;
}

}  // namespace

Tally::Tally(std::shared_ptr<const dns::CompiledZones> zones, std::size_t lanes)
    : zones_(std::move(zones)), records_(records_of(*zones_)) {
  for (std::size_t i = 0; i < lanes; ++i) {
    lanes_.push_back({make_zeroed<std::uint32_t>(records_ + 1),
                      make_zeroed<std::uint32_t>(zones_->zones().size() * kZoneEnds + 1)});
  }
}

ZoneEnd Tally::end_of(dns::Reason reason) {
  switch (reason) {
    case dns::Reason::kAnswered:
    case dns::Reason::kAnyMinimal:
      return ZoneEnd::kRecords;
    case dns::Reason::kNoData:
      return ZoneEnd::kNoData;
    case dns::Reason::kNxDomain:
      return ZoneEnd::kNxDomain;
    default:
      return ZoneEnd::kOther;
  }
}

std::uint32_t Tally::handed(std::size_t record) const {
  std::uint32_t out = 0;
  for (const Lane& lane : lanes_) out += read(lane.records[record]);
  return out;
}

std::uint32_t Tally::queries(std::size_t zone, ZoneEnd end) const {
  std::uint32_t out = 0;
  for (const Lane& lane : lanes_) {
    out += read(lane.zones[zone * kZoneEnds + static_cast<std::size_t>(end)]);
  }
  return out;
}

}  // namespace timepool::dnsd
