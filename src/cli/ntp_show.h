// The reports of timepool-ntpd as text that a user of chronyc reads at once: the same letters,
// columns and units. Each function prints one report from the daemon's JSON.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace timepool::cli {

void show_sources(const boost::json::object& answer, bool verbose);
void show_authentication(const boost::json::object& answer, bool verbose);
// The answer to accept-step.
void show_accepted(const boost::json::object& answer, bool verbose);
void show_tracking(const boost::json::object& answer, bool verbose);
void show_sourcestats(const boost::json::object& answer, bool verbose);
void show_selectdata(const boost::json::object& answer, bool verbose);
void show_ntpdata(const boost::json::object& answer, bool verbose);
void show_explain(const boost::json::object& answer, bool verbose);
void show_refclocks(const boost::json::object& answer, bool verbose);
void show_activity(const boost::json::object& answer, bool verbose);
void show_security(const boost::json::object& answer, bool verbose);
void show_counters(const boost::json::object& answer, bool verbose);
void show_cyclelogs(const boost::json::object& answer, bool verbose);

// A whole number, "-" when it is not there.
std::string whole(const boost::json::object& object, std::string_view key);
// Seconds with the unit that fits, "-" when they are not there.
std::string span(const boost::json::object& object, std::string_view key, bool with_sign);
// chronyc's LastRx: seconds up to 999, then minutes, hours, days: "12", "17m", "3h", "2d".
std::string age(const std::optional<double>& seconds);
// "Name          : VALUE", aligned for a list of such lines; "-" for an empty value.
void print_line(std::string_view name, const std::string& value);
// An address and port; without the port where it is NTP's.
std::string address_of(const boost::json::object& object, std::string_view key);
// How a source's packets are proved: "nts", "key"; "-" when they are not.
std::string authentication_of(const boost::json::object& source);
// How a source is called in the first column of a table: the address where it has one.
std::string label_of(const boost::json::object& source);

}  // namespace timepool::cli
