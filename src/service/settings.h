// What the use cases of the manager go by: the configuration in the terms of the libraries.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/time.h"
#include "config/poold.h"
#include "pool/nts_check.h"
#include "pool/scoring.h"
#include "pool/zone.h"

namespace timepool::service {

using UnixClock = std::function<UnixTime()>;

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
  Duration publish_names_interval;
  pool::ScoreSettings scoring;
  pool::ZoneSettings zone;

  std::vector<std::string> reserved_names;
  Duration name_reuse_after;
  std::string nts_trust;
  pool::NtsRules nts_rules;
  double nts_max_offset_s = 0;
};

Settings settings_of(const config::PooldConfig& config);

}  // namespace timepool::service
