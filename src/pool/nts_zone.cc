#include "pool/nts_zone.h"

#include <algorithm>
#include <map>
#include <set>

#include "pool/zone.h"

namespace timepool::pool {
namespace {

constexpr std::string_view kService = "_ntske._tcp";
// RFC 8659 4.2 and 4.3: nobody may issue.
constexpr const char* kNobodyIssues = "0 issue \";\"";
constexpr const char* kNoWildcards = "0 issuewild \";\"";

std::string service_label(std::string_view label) {
  return label.empty() ? std::string(kService) : std::string(kService) + "." + std::string(label);
}

// The label of Britain, and the code by which its clients are found (add_british_alias in zone.cc).
constexpr std::string_view kBritain = "uk";
constexpr std::string_view kBritishCode = "gb";

void add_addresses(Zone& zone, const NamedServer& server, const NtsSettings& settings) {
  if (server.label.empty()) return;
  Label& label = zone.labels[server.label + "." + settings.parent];
  // Without weights, and with room for all: the same answer for everyone, everywhere. Authorities
  // look from several places at once.
  for (const IpAddress& address : server.addresses) {
    (address.is_v4() ? label.a : label.aaaa).push_back({address, 0});
  }
  std::sort(label.a.begin(), label.a.end());
  std::sort(label.aaaa.begin(), label.aaaa.end());
  label.caa = caa_of(server, settings);
  label.ttl = settings.ttl;
  label.max_hosts = static_cast<std::uint32_t>(kMaxNameAddresses);
}

class Services {
 public:
  Services(Zone& zone, std::span<const NamedServer> named, const ZoneSettings& settings)
      : zone_(zone), settings_(settings), choice_(chosen(named)) {}

  bool empty() const { return by_address_.empty(); }

  void add_country(const std::string& country) {
    add(std::string(zone_of_country(country)), choice_.of_country(country, settings_.selection));
  }
  void add_continent(const std::string& continent) {
    add(continent, choice_.of_continent(continent, settings_.selection));
  }

 private:
  std::vector<const Candidate*> chosen(std::span<const NamedServer> named) {
    std::vector<const Candidate*> out;
    for (const NamedServer& server : named) {
      if (!server.listed) continue;
      if (!by_address_.emplace(server.candidate.address, &server).second) continue;
      out.push_back(&server.candidate);
    }
    return out;
  }

  void add(const std::string& name, const std::vector<Member>& members) {
    if (members.empty()) return;
    // Where an answer is drawn the draw has done the weighing: a client that weighed once more
    // would favour the heavy ones twice.
    const bool drawn = members.size() > settings_.nts.max_targets;
    std::uint32_t heaviest = 1;
    for (const Member& member : members) heaviest = std::max(heaviest, member.weight);
    Label& label = zone_.labels[service_label(name)];
    label.ttl = settings_.nts.ttl;
    label.max_hosts = settings_.nts.max_targets;
    FamilyReport report;
    std::uint64_t netspeeds = 0;
    for (const Member& member : members) {
      const NamedServer& server = *by_address_.at(member.address);
      const std::uint64_t scaled = std::uint64_t{member.weight} * kMaxSrvWeight / heaviest;
      const auto own = static_cast<std::uint16_t>(std::max<std::uint64_t>(scaled, 1));
      label.srv.push_back({server.target + ".", server.port, drawn ? std::uint16_t{1} : own,
                           drawn ? member.weight : 0});
      ++(member.own ? report.own : report.filled);
      report.capacity += member.weight;
      netspeeds += server.candidate.netspeed;
    }
    std::sort(label.srv.begin(), label.srv.end());
    report.capped = netspeeds - report.capacity;
    zone_.reports[name].nts = report;
  }

  Zone& zone_;
  const ZoneSettings& settings_;
  std::map<IpAddress, const NamedServer*> by_address_;
  Choice choice_;
};

}  // namespace

std::vector<std::string> caa_of(const NamedServer& server, const NtsSettings& settings) {
  std::vector<std::string> out;
  std::string methods;
  for (const std::string& method : settings.methods)
    methods += (methods.empty() ? "" : ",") + method;
  for (const std::string& authority : settings.authorities) {
    std::string value = authority;
    if (!methods.empty()) value += "; validationmethods=" + methods;
    if (server.account_uris.empty()) out.push_back("0 issue \"" + value + "\"");
    for (const std::string& account : server.account_uris) {
      out.push_back("0 issue \"" + value + "; accounturi=" + account + "\"");
    }
  }
  // Of a set without "issue" only wildcards are forbidden: any authority may issue for the name.
  out.emplace_back(kNoWildcards);
  return out;
}

void add_nts_names(Zone& zone, std::span<const NamedServer> named, const ZoneSettings& settings) {
  if (settings.nts.parent.empty()) return;
  // What is not there is looked for above (RFC 8659 3): a name that is gone can get no certificate.
  Label& parent = zone.labels[settings.nts.parent];
  parent.caa = {kNobodyIssues};
  parent.ttl = settings.nts.ttl;
  for (const NamedServer& server : named) add_addresses(zone, server, settings.nts);

  Services services(zone, named, settings);
  if (services.empty()) return;
  std::set<std::string> names{""};
  for (const auto& [name, report] : zone.reports) names.insert(name);
  std::set<std::string> countries;
  std::set<std::string> continents;
  for (const NamedServer& server : named) {
    if (!server.listed) continue;
    if (!server.candidate.country.empty()) countries.insert(server.candidate.country);
    if (!server.candidate.continent.empty()) continents.insert(server.candidate.continent);
  }
  for (const std::string& name : names) {
    const bool country = name.size() == 2;
    if (country) countries.insert(name == kBritain ? std::string(kBritishCode) : name);
    if (!country) continents.insert(name);
  }
  for (const std::string& country : countries) services.add_country(country);
  for (const std::string& continent : continents) services.add_continent(continent);
  const std::string britain = service_label(kBritain);
  if (zone.labels.contains(britain)) zone.labels[service_label(kBritishCode)].alias = britain;
}

}  // namespace timepool::pool
