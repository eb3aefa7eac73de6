// What the control socket tells about the daemon, as JSON and as Prometheus text. Times are seconds
// as numbers, "_s" at the end of the key; moments are UTC texts.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/ntpd.h"
#include "ntpd/broadcaster.h"
#include "ntpd/cookie_keeper.h"
#include "ntpd/key_server.h"
#include "ntpd/time_client.h"
#include "ntpd/time_server.h"

namespace timepool::net {
class MetricSink;
}

namespace timepool::ntpd {

class AcmeService;

// What the reports are made from; a half that is not there is null.
struct Halves {
  const config::NtpdConfig& config;
  const TimeServer* server = nullptr;
  const TimeClient* client = nullptr;
  const Broadcaster* broadcaster = nullptr;
  const KeyServer* key_server = nullptr;
  const CookieKeeper* cookies = nullptr;
  const AcmeService* acme = nullptr;
};

// "steer" or "observe".
std::string clock_mode(const Halves& halves);
// Whether `text` is its address, its address and port, or its configured name.
bool is_named(const ntp::SourceReport& report, std::string_view text);
// The associations that `source` names, by address, address and port, or configured name; all when
// it is empty. Errors: kNotFound, with those that there are.
Result<std::vector<ntp::SourceReport>> matching_reports(const Halves& halves,
                                                        std::string_view source, MonoTime now);

// {"sources": [{"source", "kind", "address", "status", "symbol", "reach", "reach_octal", "poll",
//   "requests", "unanswered", "last_reason", and with samples "offset_s", "delay_s",
//   "dispersion_s", "jitter_s", "distance_s", "age_s", "stratum", "leap", "version",
//   "reference_id", "root_delay_s", "root_dispersion_s"}, ...]}
boost::json::object sources_report(const Halves& halves, MonoTime now);
// {"synchronised", "address", "leap", "stratum", "reference_id", "updated", "offset_s",
//   "uncertainty_s", "root_delay_s", "root_dispersion_s", "jitter_s", "survivors", "min_sources"};
//   offset_s is the true time less the system clock's.
boost::json::object tracking_report(const Halves& halves, MonoTime now);
// {"sources": [{"title", "source", "address", "cause", "letter", "sentences": [...]}, ...]}
Result<boost::json::object> explain_report(const Halves& halves, std::string_view source,
                                           MonoTime now);
// {"server": {"received", "sent", "refused", "receive_errors", "batches", "reasons": {...}} or
// null,
//   "client": {"requests", "send_failures", "reasons": {...}} or null,
//   "key_server": report_keys.h}; the server's reasons sum to "received".
boost::json::object counters_report(const Halves& halves);
// {"listen": [...], "threads", "synchronised", "stratum", "reference_id", "test_offset_s",
//   "cookie_keys": ntpd/report_cookies.h}, or null.
boost::json::value server_report(const Halves& halves);
// {"client": {reason: {"count", "last", "address"}, ...} or null, "server": the same or null,
//   "concerns": [{"half", "reason", "count", "last", "address", "meaning", "action"}, ...]}: what
//   was rejected, and of that what an attack or a broken server looks like (RFC 8633 5.3).
boost::json::object security_report(const Halves& halves);
// {"online", "offline", "in_burst", "unresolved"}: how many sources are asked and not, and names
// that have no address yet.
boost::json::object activity_report(const Halves& halves, MonoTime now);
// {"sources": [{"source", "address", "samples", "span_s", "frequency_ppm", "skew_ppm", "offset_s",
//   "offset_sd_s", "jitter_s", "asymmetry"}, ...]} of those with samples; `source` as below.
Result<boost::json::object> statistics_report(const Halves& halves, std::string_view source,
                                              MonoTime now);
// {"agreement", "sources": [{"source", "address", "state" (a letter), "cause", "meaning",
//   "authenticated", "configured", "effective" (options), "score", and with samples "age_s",
//   "low_s", "high_s", "leap"}, ...]}; `source` as below.
Result<boost::json::object> selection_report(const Halves& halves, std::string_view source,
                                             MonoTime now);
// {"sources": [{"source", "address", ...}, ...]}: of each association the packets that came and the
// last answer (docs/control.md); with `source`, an address or a configured name, only of that one.
// Errors: kNotFound.
Result<boost::json::object> packets_report(const Halves& halves, std::string_view source,
                                           MonoTime now);
// Everything above as Prometheus metrics, "timepool_ntpd_...": docs/metrics.md names them.
void write_metrics(const Halves& halves, MonoTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
