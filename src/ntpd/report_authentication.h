// What the reports and metrics tell of how the sources' packets are proved: by Network Time
// Security (RFC 8915), by a symmetric key, or not.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "ntpd/report.h"

namespace timepool::ntpd {

// What a source's packets must be proved by: "none", "key", "nts".
std::string_view authentication_of(const ntp::SourceReport& report);
// Whether such proof has come: always under a symmetric key, since nothing else is taken; under NTS
// once the keys in use have brought an authentic answer.
bool is_proved(const ntp::SourceReport& report);
// {"aead", "key_bits", "key_id", "cookies", "cookie_octets", "proven", "key_age_s",
//   "key_lifetime_s", "since_attempt_s", "since_keys_s", "certificate_remaining_s" (these three may
//   be null), "certificate_judged", "key_server", "renewals", "naks", "cookies_taken", "replies":
//   {verdict: count, ...}}
boost::json::object nts_object(const ntp::NtsReport& nts);
// {outcome: count, ...} of the client's key establishments, without those that never happened.
boost::json::object establishments_object(const TimeClient* client);
// {"sources": [{"source", "kind", "address", "authentication", "proved", "key" (a symmetric key's
//   number), "nts": see above, "attempts"}, ...], "key_establishments": see above}; keys that say
//   nothing of a source are absent.
boost::json::object authentication_report(const Halves& halves, MonoTime now);
void write_authentication_metrics(const TimeClient& client, MonoTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
