// [dnssec]: which zones timepool-dnsd signs, with which keys, and for how long signatures hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

enum class DnssecAlgorithm : std::uint8_t { kEcdsaP256, kEd25519 };
enum class DnssecKeys : std::uint8_t { kCsk, kKskZsk };

// [[dnssec.zone]]. Times are whole seconds.
struct DnsdDnssecZoneConfig {
  std::string name;  // "*": every zone that has no table of its own
  DnssecAlgorithm algorithm = DnssecAlgorithm::kEcdsaP256;
  DnssecKeys keys = DnssecKeys::kCsk;
  bool roll = true;
  bool unsign = false;
  Duration ksk_lifetime;  // zero: until somebody asks
  Duration zsk_lifetime = Duration::seconds(90 * 86'400);
  Duration dnskey_ttl = Duration::seconds(3600);
  Duration max_zone_ttl = Duration::seconds(86'400);
  Duration ds_ttl = Duration::seconds(86'400);
  Duration propagation = Duration::seconds(3600);
  Duration parent_propagation = Duration::seconds(3600);
  bool operator==(const DnsdDnssecZoneConfig&) const = default;
};

struct DnsdDnssecConfig {
  std::string directory;
  std::optional<Endpoint> resolver;
  unsigned variants = 64;
  unsigned redraw_signatures = 1000;
  unsigned online_signatures = 1000;
  Duration inception = Duration::seconds(12 * 3600);
  Duration pool_signatures = Duration::seconds(86'400);
  Duration static_signatures = Duration::seconds(7 * 86'400);
  unsigned renew_percent = 50;
  std::vector<DnsdDnssecZoneConfig> zones;
  bool operator==(const DnsdDnssecConfig&) const = default;
};

Schema<DnsdDnssecConfig> dnsd_dnssec_schema();

// What holds for the zone `name`, without an ending dot: its own table, else that of "*", else
// none.
const DnsdDnssecZoneConfig* dnssec_zone(const DnsdDnssecConfig& config, std::string_view name);

}  // namespace timepool::config
