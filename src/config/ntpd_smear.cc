#include "config/ntpd_smear.h"

#include <algorithm>
#include <vector>

#include "base/public_prefix.h"
#include "config/ntpd.h"

namespace timepool::config {
namespace {

const std::vector<Prefix>& everybody() {
  static const std::vector<Prefix> out = {{IpAddress::any(IpFamily::kV4), 0},
                                          {IpAddress::any(IpFamily::kV6), 0}};
  return out;
}

// Whom the rules name; everybody where they name nobody. Files are read by the daemon, which looks
// at what is in them.
void add_audience(const NtpAccessRules& rules, std::vector<Prefix>& out) {
  const bool anybody = rules.allow.empty() && rules.allow_files.empty();
  const std::vector<Prefix>& named = anybody ? everybody() : rules.allow;
  out.insert(out.end(), named.begin(), named.end());
}

std::vector<Prefix> audience(const NtpServerConfig& server) {
  std::vector<Prefix> out;
  if (serves_loopback_only(server)) return out;
  add_audience(server.access, out);
  for (const NtpInterfaceAccess& rules : server.access.interfaces) add_audience(rules, out);
  return out;
}

}  // namespace

const char* const kSmearDoc =
    "Spread leap seconds over hours, for clients that can't bear them (RFC 8633 3.7.1). The system "
    "clock keeps UTC; what is served departs from it around a leap second, no leap is announced, "
    "and "
    "the reference identifier is 254.x.y.z, which tells by how much, as ntpd's. The departure is "
    "part "
    "of the root dispersion. Every server of such clients must smear in the same way. Needs a "
    "leap_file, since a smear begins before a leap is announced and ends when nobody tells of it "
    "any "
    "more; a leap_mode other than \"ignore\"; and is refused when a public address may ask.";

Schema<NtpSmearConfig> ntp_smear_schema() {
  Schema<NtpSmearConfig> out;
  out.field("shape", &NtpSmearConfig::shape,
            one_of<NtpSmearShape>(
                {{"linear", NtpSmearShape::kLinear}, {"cosine", NtpSmearShape::kCosine}}),
            "\"linear\": the clock served runs slower by the same amount all the time. \"cosine\": "
            "it begins and ends gently, and is half as much again slower in the middle.")
      .field("window", &NtpSmearConfig::window,
             duration(Duration::seconds(3600), Duration::seconds(48 * 3600)),
             "Over how long, half of it before the leap. A day, linear, from noon to noon is what "
             "public clouds do.");
  return out;
}

std::string smear_audience_problem(std::span<const Prefix> allow) {
  const auto found = std::find_if(allow.begin(), allow.end(), holds_public_address);
  if (found == allow.end()) return "";
  return "[server.smear]: " + format(*found) +
         " admits public addresses, and smeared time must not get out of a closed environment: its "
         "clients would mix it with true time (RFC 8633 3.7.1)";
}

bool serves_loopback_only(const NtpServerConfig& server) {
  return !server.listen.empty() &&
         std::all_of(server.listen.begin(), server.listen.end(),
                     [](const Endpoint& it) { return it.address.unmapped().is_loopback(); });
}

std::string check_smear(const NtpdConfig& config) {
  if (!config.server || !config.server->smear) return "";
  if (config.leap_file.empty()) {
    return "[server.smear] needs a leap_file: a smear begins before a leap second is announced";
  }
  if (config.leap_mode == LeapMode::kIgnore) {
    return "[server.smear] needs a leap_mode other than \"ignore\": what is served departs from "
           "UTC, and the clock would too";
  }
  return smear_audience_problem(audience(*config.server));
}

std::string check_orphan(const NtpdConfig& config) {
  if (!config.server || !config.server->local || !config.server->local->orphan) return "";
  if (config.clock != ClockControl::kSteer) {
    return "[server.local] orphan needs clock = \"steer\": the servers of the island follow one of "
           "them";
  }
  const NtpSourcesConfig& sources = config.sources;
  if (sources.servers.empty() && sources.pools.empty() && sources.directories.empty()) {
    return "[server.local] orphan needs the other servers of the island as sources";
  }
  return "";
}

}  // namespace timepool::config
