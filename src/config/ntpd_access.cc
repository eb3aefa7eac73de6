#include "config/ntpd_access.h"

#include <algorithm>
#include <set>

namespace timepool::config {
namespace {

constexpr std::size_t kMaxPrefixes = 65'536;
constexpr std::size_t kMaxFiles = 64;
constexpr std::size_t kMaxInterfaces = 64;
// A bucket that takes longer to fill again is no limit but a ban.
constexpr double kLongestFill = 86'400;

// The fields that stand in [server.access] and in each of its interfaces.
template <class T>
void add_rules(Schema<T>& out) {
  using Prefixes = std::vector<Prefix> T::*;
  using Files = std::vector<std::string> T::*;
  out.field("allow", static_cast<Prefixes>(&NtpAccessRules::allow), list_of(prefix(), kMaxPrefixes),
            "Prefixes that are served. When there is one, addresses in no prefix at all are not.")
      .field("deny", static_cast<Prefixes>(&NtpAccessRules::deny), list_of(prefix(), kMaxPrefixes),
             "Prefixes that are not served. The longest prefix that holds an address decides; one "
             "that is both allowed and denied is denied.")
      .field("allow_files", static_cast<Files>(&NtpAccessRules::allow_files),
             list_of(path(), kMaxFiles),
             "Files with further prefixes to serve, one a line; what follows # or ; is left out. "
             "They are read at the start and on reload.")
      .field("deny_files", static_cast<Files>(&NtpAccessRules::deny_files),
             list_of(path(), kMaxFiles), "The same, of prefixes not to serve.");
}

std::string check_interfaces(const NtpAccessConfig& it) {
  std::set<std::string> seen;
  for (const NtpInterfaceAccess& interface : it.interfaces) {
    if (!seen.insert(interface.name).second) {
      return "interface: \"" + interface.name + "\" is there twice";
    }
  }
  return {};
}

// A bucket's two fields.
void add_bucket(Schema<NtpLimitsConfig>& out, const std::string& name,
                double NtpLimitsConfig::* rate, std::int64_t NtpLimitsConfig::* burst,
                const std::string& whom) {
  out.field(name + "_rate", rate, number(0, 1e6),
            "How many requests a second of " + whom + " are answered in the long run. 0: no limit.")
      .field(name + "_burst", burst, integer64(1, 10'000'000), "How many of them at once.")
      .check([=](const NtpLimitsConfig& it) -> std::string {
        const bool slow = it.*rate > 0 && static_cast<double>(it.*burst) / it.*rate > kLongestFill;
        return slow ? name + "_burst takes longer than a day to fill at " + name + "_rate" : "";
      });
}

}  // namespace

Schema<NtpAccessConfig> ntp_access_schema() {
  Schema<NtpInterfaceAccess> interface;
  interface.required("name", &NtpInterfaceAccess::name, text(15),
                     "The interface, such as \"eth0\".");
  add_rules(interface);
  interface.check([](const NtpInterfaceAccess& it) -> std::string {
    return it.name.empty() ? "name: an interface has one" : "";
  });
  Schema<NtpAccessConfig> out;
  add_rules(out);
  out.tables("interface", &NtpAccessConfig::interfaces, interface,
             "An interface with rules of its own. For what comes by it they hold instead of those "
             "above.",
             kMaxInterfaces)
      .check([](const NtpAccessConfig& it) { return check_interfaces(it); });
  return out;
}

Schema<NtpLimitsConfig> ntp_limits_schema() {
  using C = NtpLimitsConfig;
  Schema<C> out;
  out.field("enabled", &C::enabled, boolean(),
            "Limit how often clients are answered. Otherwise they are only remembered.")
      .field("clients", &C::clients, integer64(1024, 1 << 24),
             "How many clients are remembered, in 60 bytes each, which are taken as they come. "
             "A change needs a restart.");
  add_bucket(out, "address", &C::address_rate, &C::address_burst, "an address");
  add_bucket(out, "v4_24", &C::v4_24_rate, &C::v4_24_burst, "an IPv4 network of 24 bits");
  add_bucket(out, "v6_64", &C::v6_64_rate, &C::v6_64_burst, "an IPv6 network of 64 bits");
  add_bucket(out, "v6_56", &C::v6_56_rate, &C::v6_56_burst, "an IPv6 network of 56 bits");
  add_bucket(out, "v6_48", &C::v6_48_rate, &C::v6_48_burst, "an IPv6 network of 48 bits");
  add_bucket(out, "newcomers", &C::newcomers_rate, &C::newcomers_burst,
             "all newcomers together, while they find the places of remembered clients taken,");
  out.field("leak", &C::leak, integer(0u, 1'000'000u),
            "Of requests over a limit one in so many is answered all the same, at random, so that "
            "whoever floods the server in a client's name does not take its time away. 0: none.")
      .field("kod", &C::kod, integer(0u, 1'000'000u),
             "Of those that are dropped one in so many is answered by a RATE packet, which tells "
             "the client to ask less often. 0: none.")
      .field("exempt", &C::exempt, list_of(prefix(), kMaxPrefixes),
             "Prefixes that are not limited.");
  return out;
}

}  // namespace timepool::config
