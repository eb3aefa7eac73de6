#include "cli/query_nts_pool.h"

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <memory>
#include <utility>

#include "cli/host_port.h"
#include "cli/nts_records.h"
#include "cli/print.h"
#include "cli/step_log.h"
#include "net/service_resolver.h"
#include "net/trust_anchors.h"
#include "ntp/service.h"
#include "ntp/service_order.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

constexpr std::uint16_t kDnsPort = 53;

ntp::DnsTrust trust_of(net::DnsSecurity security) {
  if (security == net::DnsSecurity::kSecure) return ntp::DnsTrust::kSecure;
  return security == net::DnsSecurity::kBogus ? ntp::DnsTrust::kBogus : ntp::DnsTrust::kInsecure;
}

ntp::ServiceAnswer answer_of(const net::ServiceLookup& found) {
  ntp::ServiceAnswer out;
  const bool none =
      found.status == net::LookupStatus::kNxDomain || found.status == net::LookupStatus::kNoData;
  if (found.status == net::LookupStatus::kOk) out.status = ntp::ServiceStatus::kFound;
  if (none) out.status = ntp::ServiceStatus::kNone;
  out.trust = trust_of(found.security);
  out.alias = found.alias;
  out.why = found.why;
  for (const net::SrvRecord& it : found.records) {
    out.targets.push_back({it.target, it.port, it.priority, it.weight});
  }
  return out;
}

std::string security_text(net::DnsSecurity security, const std::string& why) {
  switch (security) {
    case net::DnsSecurity::kSecure:
      return "secure: signed, from a trust anchor on";
    case net::DnsSecurity::kInsecure:
      return "insecure: the zone is not signed, or no trust anchor is above it";
    case net::DnsSecurity::kBogus:
      break;
  }
  return "bogus: " + printable(why);
}

class PoolQuery {
 public:
  explicit PoolQuery(const NtsPoolOptions& options) : options_(options), log_(options.query.json) {}

  int run();

 private:
  Result<void> prepare();
  bool look_up();
  bool order();
  bool ask_all();
  bool ask(const ntp::ServiceTarget& target);

  const NtsPoolOptions& options_;
  StepLog log_;
  std::unique_ptr<net::ServiceResolver> resolver_;
  ntp::NtsSettings settings_;
  ntp::ServiceJudgement judged_;
  std::vector<ntp::ServiceTarget> order_;
  json::array servers_;
};

Result<void> PoolQuery::prepare() {
  net::ServiceResolverOptions out;
  std::vector<std::string> files;
  if (options_.trust_anchor) files.push_back(*options_.trust_anchor);
  out.anchors = TRY(net::load_trust_anchors(files));
  out.full_resolution = options_.full_resolution;
  if (options_.dns_server) {
    const HostPort server = TRY(parse_host_port(*options_.dns_server, kDnsPort));
    out.servers.push_back({TRY(parse_ip(server.host)), server.port, 0});
  }
  resolver_ = TRY(net::ServiceResolver::create(out));
  settings_.required = true;
  settings_.lookup = ntp::ServerLookup::kServices;
  if (options_.suffix) settings_.trust = ntp::ServiceTrust::kSecureOrSuffix;
  if (options_.suffix_template) settings_.suffix = *options_.suffix_template;
  return {};
}

bool PoolQuery::look_up() {
  const std::string& pool = options_.query.server;
  const std::string name = ntp::service_name(pool);
  Step step{"srv", "", {}, {}, {}};
  const MonoTime start = sys::mono_now();
  const net::ServiceLookup found = net::find_services_blocking(*resolver_, name);
  step.took = sys::mono_now() - start;
  judged_ = ntp::judge(answer_of(found), settings_, pool);
  step.lines.push_back(fmt::format("{} IN SRV: {}, {} records", name, net::name_of(found.status),
                                   found.records.size()));
  step.lines.push_back(security_text(found.security, found.why));
  if (found.alias) step.lines.emplace_back("there is a CNAME at the name: it is not followed");
  json::array records;
  for (const net::SrvRecord& it : found.records) {
    records.push_back(json::object{{"target", printable(it.target)},
                                   {"port", it.port},
                                   {"priority", it.priority},
                                   {"weight", it.weight}});
    step.lines.push_back(fmt::format("  priority {} weight {} port {} {}", it.priority, it.weight,
                                     it.port, printable(it.target)));
  }
  for (const ntp::JudgedTarget& it : judged_.targets) {
    if (it.fault == ntp::TargetFault::kNone) continue;
    step.lines.push_back(
        fmt::format("  refused: {}: {}", printable(it.target.target), ntp::name_of(it.fault)));
  }
  if (judged_.verdict != ntp::ServiceVerdict::kUse) {
    step.failure = fmt::format("the records are not followed: {}", ntp::name_of(judged_.verdict));
    if (!found.why.empty()) step.failure += ": " + printable(found.why);
  }
  step.facts = {{"name", name},
                {"status", net::name_of(found.status)},
                {"security", net::name_of(found.security)},
                {"why", printable(found.why)},
                {"alias", found.alias},
                {"verdict", ntp::name_of(judged_.verdict)},
                {"records", std::move(records)}};
  return log_.add(step);
}

bool PoolQuery::order() {
  ntp::RandomStream random({sys::random_u64(), sys::random_u64()});
  const std::vector<ntp::ServiceTarget> usable = judged_.usable();
  Step step{"order", "", {}, {}, {}};
  json::array names;
  for (const std::size_t index : ntp::service_order(usable, random)) {
    order_.push_back(usable[index]);
    names.emplace_back(usable[index].target);
    step.lines.push_back(fmt::format("{}. {}", order_.size(), usable[index].target));
  }
  step.facts = {{"targets", std::move(names)}};
  return log_.add(step);
}

// LC2: its addresses, its certificate for the target's name, its keys, its time.
bool PoolQuery::ask(const ntp::ServiceTarget& target) {
  NtsQueryOptions query = options_.query;
  query.server = fmt::format("{}:{}", target.target, target.port);
  const MonoTime start = sys::mono_now();
  const net::AddressLookup found = net::find_addresses_blocking(*resolver_, target.target);
  query.address_took = sys::mono_now() - start;
  query.known_addresses.emplace();
  for (const IpAddress& it : found.found.addresses) {
    const bool wanted = it.is_v4() ? !options_.query.families.v6 : !options_.query.families.v4;
    if (wanted) query.known_addresses->push_back(it);
  }
  query.address_note = security_text(found.security, found.why);
  if (!options_.query.json) print(fmt::format("\n{} port {}", target.target, target.port));
  json::object told;
  const bool good = query_nts(query, told);
  told["target"] = target.target;
  told["port"] = target.port;
  told["address_security"] = net::name_of(found.security);
  servers_.push_back(std::move(told));
  return good;
}

bool PoolQuery::ask_all() {
  bool good = true;
  const std::size_t count = std::min(order_.size(), static_cast<std::size_t>(options_.servers));
  for (std::size_t i = 0; i < count; ++i) good = ask(order_[i]) && good;
  return good;
}

int PoolQuery::run() {
  const auto prepared = prepare();
  if (!prepared.ok()) return failed(prepared.error());
  const bool ok = look_up() && order() && ask_all();
  if (options_.query.json) {
    json::object out{{"pool", options_.query.server}};
    for (const auto& [key, value] : log_.json()) out[key] = value;
    out["ok"] = ok;
    out["servers"] = std::move(servers_);
    print_json(out);
  }
  return ok ? kOk : kFailed;
}

}  // namespace

int query_nts_pool(const NtsPoolOptions& options) {
  return PoolQuery(options).run();
}

}  // namespace timepool::cli
