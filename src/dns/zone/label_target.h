// A label's name taken apart: "0.us" of a zone that targets countries is the name "0" for clients
// of the United States (and the plain name "0.us" beside that).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

enum class TargetKind : std::uint64_t {
  kPlain,
  kAddress,
  kAsn,
  kCountry,
  kContinent,
  kRegion,
  kGroup
};

// Kind and value in one number.
using TargetKey = std::uint64_t;
constexpr TargetKey key_of(TargetKind kind, std::uint64_t value = 0) {
  return static_cast<std::uint64_t>(kind) << 56 | value;
}

// "base.target"; the target may be the whole name.
struct LabelTarget {
  std::string_view base;
  TargetKind kind = TargetKind::kPlain;
  std::uint64_t value = 0;  // of every kind but kPlain and kAddress
  IpAddress address;
};

// The target that `name` ends with under `targeting`, or nothing.
std::optional<LabelTarget> label_target(std::string_view name, const Targeting& targeting);

}  // namespace timepool::dns
