// What the use cases of the manager go by: the configuration in the terms of the libraries.
#pragma once

#include <cstdint>

#include "base/duration.h"
#include "config/poold.h"
#include "pool/scoring.h"
#include "pool/zone.h"

namespace timepool::service {

struct Settings {
  bool allow_private = false;
  std::uint32_t default_netspeed = 0;
  std::uint32_t max_netspeed = 0;

  Duration check_interval;
  Duration bad_interval;
  double bad_score = 0;
  std::uint32_t samples = 0;
  std::uint32_t batch = 0;
  std::uint16_t ntp_port = 0;
  Duration ticket_lifetime;
  Duration answers_kept;

  Duration history_kept;
  Duration publish_min_interval;
  pool::ScoreSettings scoring;
  pool::ZoneSettings zone;
};

Settings settings_of(const config::PooldConfig& config);

}  // namespace timepool::service
