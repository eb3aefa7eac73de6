// What is told of cookies of NTS and their keys: in the counters of the server, and as metrics.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "ntpd/cookie_keeper.h"
#include "ntpd/time_server.h"

namespace timepool::ntpd {

// {"made", "unknown_key", "forged", "opened": {"next", "current", "past_1", ...}}: what workers
// did; those of past keys only where any were.
boost::json::object cookies_report(const nts::CookieCounts& counts);
// {"file", "shared", "saved", "epoch", "next_epoch", "past", "rotations"}, or null without keys.
boost::json::value cookie_keys_report(const CookieKeeper* keeper);

// One number for a metric; `label` is empty where it has none.
struct CookieMetric {
  std::string_view name;
  std::string_view help;
  bool counter = true;
  std::string_view label_name;
  std::string label;
  double value = 0;
};
void each_cookie_metric(const nts::CookieCounts& counts, const CookieKeeper* keeper,
                        const std::function<void(const CookieMetric&)>& take);

}  // namespace timepool::ntpd
