#include "ntpd/report_cookies.h"

#include <boost/json.hpp>

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// By the place of a key in nts::CookieKeys.
std::string age_of(std::size_t place) {
  if (place == nts::CookieKeys::kNext) return "next";
  if (place == nts::CookieKeys::kCurrent) return "current";
  return "past_" + std::to_string(place - nts::CookieKeys::kCurrent);
}

}  // namespace

json::object cookies_report(const nts::CookieCounts& counts) {
  json::object opened;
  for (std::size_t i = 0; i < counts.opened.size(); ++i) {
    if (i <= nts::CookieKeys::kCurrent || counts.opened[i] > 0)
      opened[age_of(i)] = counts.opened[i];
  }
  json::object out;
  out["made"] = counts.made;
  out["unknown_key"] = counts.unknown_key;
  out["forged"] = counts.forged;
  out["opened"] = std::move(opened);
  return out;
}

json::value cookie_keys_report(const CookieKeeper* keeper) {
  const auto report = keeper == nullptr ? std::nullopt : keeper->report();
  if (!report) return nullptr;
  json::object out;
  out["file"] = report->file;
  out["shared"] = report->shared;
  out["saved"] = report->saved;
  out["epoch"] = report->epoch;
  out["next_epoch"] = format_utc(report->next_epoch, 0);
  out["past"] = report->past;
  out["rotations"] = report->rotations;
  return out;
}

void each_cookie_metric(const nts::CookieCounts& counts, const CookieKeeper* keeper,
                        const std::function<void(const CookieMetric&)>& take) {
  const auto report = keeper == nullptr ? std::nullopt : keeper->report();
  if (!report) return;
  for (std::size_t i = 0; i < report->past + 2; ++i) {
    take({"server_cookies_opened_total", "Cookies of NTS that opened, by the age of their key.",
          true, "key", age_of(i), static_cast<double>(counts.opened[i])});
  }
  take({"server_cookies_refused_total", "Cookies of NTS that did not open.", true, "reason",
        "unknown_key", static_cast<double>(counts.unknown_key)});
  take({"server_cookies_refused_total", "Cookies of NTS that did not open.", true, "reason",
        "forged", static_cast<double>(counts.forged)});
  take({"server_cookies_made_total", "Cookies of NTS that went out with replies.", true, "", "",
        static_cast<double>(counts.made)});
  take({"cookie_key_rotations_total", "How often the keys of cookies rotated.", true, "", "",
        static_cast<double>(report->rotations)});
  take({"cookie_keys_past", "Past keys that still open cookies.", false, "", "",
        static_cast<double>(report->past)});
  take({"cookie_keys_saved", "1 when the file has the keys of cookies that are in use.", false, "",
        "", report->saved ? 1.0 : 0.0});
  take({"cookie_key_until_seconds", "When the next key of cookies begins, since 1970.", false, "",
        "", static_cast<double>(report->next_epoch.seconds())});
}

}  // namespace timepool::ntpd
