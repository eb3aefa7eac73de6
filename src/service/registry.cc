#include "service/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/siphash.h"
#include "dns/zone/country.h"
#include "service/names.h"
#include "service/secrets.h"
#include "store/handed_out.h"

namespace timepool::service {
namespace {

Error invalid(std::string field, std::string why) {
  return {ErrorCode::kInvalid, std::move(field), std::move(why)};
}
Error no_server(std::string_view address) {
  return {ErrorCode::kNotFound, "server " + std::string(address.substr(0, 64)),
          "is not registered"};
}

bool is_multicast_or_broadcast(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  return address.is_v4() ? first >= 224 : first == 0xff;
}

// RFC 1123 2.1: letters, digits and hyphens in labels of up to 63, 253 in all.
bool is_hostname(std::string_view name) {
  if (name.size() > 253) return false;
  std::size_t label = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool alphanumeric =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (c == '.') {
      if (label == 0 || name[i - 1] == '-') return false;
      label = 0;
    } else {
      if (!alphanumeric && (c != '-' || label == 0)) return false;
      if (++label > 63) return false;
    }
  }
  return label > 0 && name.back() != '-';
}

Result<std::string> checked_hostname(const std::string& name) {
  if (name.empty() || is_hostname(name)) return name;
  return fail(invalid("hostname", "is not a host name"));
}

// Lower case, "uk" as the "gb" that it stands for; a country that has no continent is none.
Result<std::string> checked_country(const std::string& text) {
  if (text.empty()) return text;
  dns::CountryCode code = dns::CountryCode::from_text(text);
  if (code == dns::CountryCode::from_text("uk")) code = dns::CountryCode::from_text("gb");
  if (code.known() && dns::continent_of(code) != dns::Continent::kNone) return code.text();
  return fail(invalid("country", "expected the two letters of a country (ISO 3166)"));
}

// Not a secret: owners only have to differ. 0 is none.
constexpr SiphashKey kOwnerKey{0x74696d65706f6f6cULL, 0x6f776e6572736869ULL};

std::uint64_t account_of(std::string_view owner) {
  if (owner.empty()) return 0;
  return siphash24(kOwnerKey, std::as_bytes(std::span(owner.data(), owner.size()))) | 1;
}

// No ':', so that none can pass for a registration (service/names.h); no '@', since everybody can
// read it and addresses of people are not for everybody.
Result<std::string> checked_owner(const std::string& owner) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._").find(c) != std::string_view::npos;
  };
  if (owner.size() <= 64 && std::all_of(owner.begin(), owner.end(), allowed)) return owner;
  return fail(invalid("owner", "expected up to 64 letters, digits, '-', '.' and '_'"));
}

NtsView nts_view_of(const store::NtsServer& nts, bool listed, const Settings& settings) {
  NtsView out;
  out.state = pool::nts_state_named(nts.state);
  out.name = nts.name;
  out.full_name = full_name(nts.name, settings);
  out.port = nts.port;
  out.account_uris = nts.account_uris;
  out.reason = nts.reason;
  out.since = nts.since;
  out.not_after = nts.not_after;
  out.last_check = nts.last_check;
  out.listed = listed && has_name(nts);
  return out;
}

// Whether the name stands in SRV records: it takes all of its servers.
Result<bool> is_listed(store::Tx& tx, const std::string& name, const Settings& settings) {
  const auto names = TRY(store::list_nts_servers_of(tx, name));
  std::vector<store::Server> servers;
  std::vector<pool::Candidate> candidates;
  for (const store::NtsServer& nts : names) {
    auto server = TRY(store::find_server(tx, nts.server_id));
    if (!server) continue;
    candidates.push_back(Registry::candidate_of(*server));
    servers.push_back(std::move(*server));
  }
  const auto named = named_servers(servers, candidates, names, settings);
  return !named.empty() && named.front().listed;
}

bool is_monitor_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace

Registry::Registry(store::Db& db, const Settings& settings, CountryOf country_of, UnixClock now,
                   std::function<void()> changed, std::function<void()> name_changed)
    : db_(db),
      settings_(settings),
      country_of_(std::move(country_of)),
      now_(std::move(now)),
      changed_(std::move(changed)),
      name_changed_(std::move(name_changed)) {}

pool::Candidate Registry::candidate_of(const store::Server& server) {
  const auto continent = dns::continent_of(dns::CountryCode::from_text(server.country));
  pool::Candidate out;
  out.address = server.address;
  out.country = server.country;
  out.continent = std::string(dns::name_of(continent));
  out.netspeed = server.netspeed;
  out.in_pool = server.in_pool;
  out.score = server.score;
  out.account = account_of(server.owner);
  return out;
}

ServerView Registry::view_of(store::Server server) const {
  const pool::Candidate candidate = candidate_of(server);
  const pool::Inclusion inclusion = pool::inclusion_of(candidate, settings_.zone);
  ServerView out;
  out.zones = pool::zones_of(candidate);
  out.in_dns = inclusion == pool::Inclusion::kIncluded;
  if (!out.in_dns) {
    out.reason = pool::name_of(inclusion);
    if (inclusion == pool::Inclusion::kLowScore) {
      out.reason += server.last_check ? ": " + server.last_reason : ": not checked yet";
    }
  }
  out.server = std::move(server);
  return out;
}

Result<IpAddress> Registry::checked_address(const std::string& text) const {
  const auto parsed = parse_ip(text);
  if (!parsed.ok()) return fail(invalid("address", "expected an IPv4 or IPv6 address"));
  const IpAddress address = parsed->unmapped();
  if (address.is_unspecified() || is_multicast_or_broadcast(address)) {
    return fail(invalid("address", format(address) + " is not an address of one host"));
  }
  if (!settings_.allow_private && !address.is_global_unicast()) {
    return fail(invalid("address", format(address) +
                                       " is not a public address ([servers] allow_private = true "
                                       "takes such addresses)"));
  }
  return address;
}

Result<std::uint32_t> Registry::checked_netspeed(std::uint32_t netspeed) const {
  if (netspeed <= settings_.max_netspeed) return netspeed;
  return fail(
      invalid("netspeed", fmt::format("expected 0 to {} (kbit/s)", settings_.max_netspeed)));
}

Result<ServerView> Registry::add_server(const NewServer& in) {
  store::Server server;
  server.address = TRY(checked_address(in.address));
  server.hostname = TRY(checked_hostname(in.hostname));
  server.netspeed = TRY(checked_netspeed(in.netspeed.value_or(settings_.default_netspeed)));
  server.owner = TRY(checked_owner(in.owner));
  server.country = TRY(checked_country(in.country));
  if (server.country.empty()) {
    // A country that the table does not know would make a zone that belongs to no continent.
    server.country = checked_country(country_of_(server.address)).value_or("");
  }
  server.created = now_();
  const auto insert = [&](store::Tx& tx) -> Result<void> {
    if (TRY(store::count_servers(tx)) >= kMaxServers) {
      return fail(Error{ErrorCode::kExhausted, "servers", "the pool has as many as it can hold"});
    }
    if (TRY(store::find_server(tx, server.address)).has_value()) {
      return fail(
          Error{ErrorCode::kExists, "address", format(server.address) + " is registered already"});
    }
    return store::insert_server(tx, server);
  };
  TRY(db_.write(insert));
  changed_();
  return view_of(std::move(server));
}

Result<ServerView> Registry::change_server(std::string_view address, const ServerChange& change) {
  const auto parsed = parse_ip(address);
  if (!parsed.ok()) return fail(no_server(address));
  std::optional<std::string> hostname;
  std::optional<std::string> country;
  std::optional<std::string> owner;
  if (change.netspeed) TRY(checked_netspeed(*change.netspeed));
  if (change.hostname) hostname = TRY(checked_hostname(*change.hostname));
  if (change.country) country = TRY(checked_country(*change.country));
  if (change.owner) owner = TRY(checked_owner(*change.owner));
  ServerView out;
  const auto update = [&](store::Tx& tx) -> Result<void> {
    auto found = TRY(store::find_server(tx, parsed->unmapped()));
    if (!found) return fail(no_server(address));
    store::Server& server = *found;
    if (owner && *owner != server.owner) {
      const auto nts = TRY(store::find_nts_server(tx, server.id));
      if (nts && has_name(*nts)) {
        return fail(Error{ErrorCode::kExists, "owner",
                          "the server has a name, which is its owner's: remove that first"});
      }
      server.owner = *owner;
    }
    server.netspeed = change.netspeed.value_or(server.netspeed);
    server.in_pool = change.in_pool.value_or(server.in_pool);
    server.hostname = hostname.value_or(server.hostname);
    server.country = country.value_or(server.country);
    TRY(store::update_server(tx, server));
    out = TRY(view_of(tx, std::move(server)));
    return {};
  };
  TRY(db_.write(update));
  changed_();
  return out;
}

Result<void> Registry::remove_server(std::string_view address) {
  const auto parsed = parse_ip(address);
  if (!parsed.ok()) return fail(no_server(address));
  bool named = false;
  const auto remove = [&](store::Tx& tx) -> Result<void> {
    const auto found = TRY(store::find_server(tx, parsed->unmapped()));
    if (!found) return fail(no_server(address));
    const auto nts = TRY(store::find_nts_server(tx, found->id));
    named = nts && has_name(*nts);
    TRY(release_name(tx, found->id, now_()));
    return store::remove_server(tx, found->id, now_());
  };
  TRY(db_.write(remove));
  changed_();
  if (named) name_changed_();
  return {};
}

Result<std::vector<ServerView>> Registry::servers() const {
  std::vector<ServerView> out;
  const auto list = [&](store::Tx& tx) -> Result<void> {
    auto servers = TRY(store::list_servers(tx));
    const auto names = TRY(store::list_nts_servers(tx));
    std::vector<pool::Candidate> candidates;
    for (const store::Server& server : servers) candidates.push_back(candidate_of(server));
    std::set<std::string> listed;
    for (const pool::NamedServer& named : named_servers(servers, candidates, names, settings_)) {
      if (named.listed) listed.insert(named.target);
    }
    // Both are by id.
    auto nts = names.begin();
    for (store::Server& server : servers) {
      while (nts != names.end() && nts->server_id < server.id) ++nts;
      const bool has = nts != names.end() && nts->server_id == server.id;
      out.push_back(view_of(std::move(server)));
      if (!has) continue;
      const bool in_srv = listed.contains(full_name(nts->name, settings_));
      out.back().nts = nts_view_of(*nts, in_srv, settings_);
    }
    return {};
  };
  TRY(db_.read(list));
  return out;
}

Result<ServerView> Registry::view_of(store::Tx& tx, store::Server server) const {
  const auto nts = TRY(store::find_nts_server(tx, server.id));
  ServerView out = view_of(std::move(server));
  if (nts) out.nts = nts_view_of(*nts, TRY(is_listed(tx, nts->name, settings_)), settings_);
  return out;
}

Result<ServerView> Registry::view(std::string_view address) const {
  const auto parsed = parse_ip(address);
  if (!parsed.ok()) return fail(no_server(address));
  ServerView out;
  const auto look = [&](store::Tx& tx) -> Result<void> {
    auto found = TRY(store::find_server(tx, parsed->unmapped()));
    if (!found) return fail(no_server(address));
    out = TRY(view_of(tx, std::move(*found)));
    return {};
  };
  TRY(db_.read(look));
  return out;
}

Result<ServerDetail> Registry::server(std::string_view address, std::int64_t history) const {
  const auto parsed = parse_ip(address);
  if (!parsed.ok()) return fail(no_server(address));
  ServerDetail out;
  const auto look = [&](store::Tx& tx) -> Result<void> {
    auto found = TRY(store::find_server(tx, parsed->unmapped()));
    if (!found) return fail(no_server(address));
    const std::int64_t id = found->id;
    out.view = TRY(view_of(tx, std::move(*found)));
    out.nts_changes = TRY(store::list_nts_changes(tx, id, history));
    out.nts_checks = TRY(store::list_nts_checks(tx, id, history));
    const auto pairs = TRY(store::list_pairs_of(tx, id));
    const auto all = TRY(store::list_monitors(tx));
    for (const store::Pair& pair : pairs) {
      const auto monitor = std::find_if(
          all.begin(), all.end(), [&](const store::Monitor& m) { return m.id == pair.monitor_id; });
      if (monitor == all.end()) continue;
      out.monitors.push_back({monitor->id, monitor->name, monitor->status, pair});
    }
    store::HistoryQuery query;
    query.server_id = id;
    query.limit = history;
    out.history = TRY(store::list_scores(tx, query));
    out.handed_out = out.handed_out_all = 0;
    for (const auto& sum :
         TRY(store::sum_handed_out(tx, store::day_of(now_()) - kHandedOutDays + 1))) {
      out.handed_out_all += sum.count;
      if (sum.server_id == id) out.handed_out = sum.count;
    }
    return {};
  };
  TRY(db_.read(look));
  return out;
}

Result<NewMonitor> Registry::add_monitor(const std::string& name, const std::string& address) {
  if (!is_monitor_name(name)) {
    return fail(invalid("name", "expected 1 to 64 letters, digits, '-', '.' and '_'"));
  }
  NewMonitor out;
  out.monitor.name = name;
  out.monitor.status = "active";
  out.monitor.created = now_();
  if (!address.empty()) {
    const auto parsed = parse_ip(address);
    if (!parsed.ok()) return fail(invalid("address", "expected an IPv4 or IPv6 address"));
    out.monitor.address = format(*parsed);
  }
  out.token = random_token();
  const auto insert = [&](store::Tx& tx) -> Result<void> {
    const auto all = TRY(store::list_monitors(tx));
    if (all.size() >= kMaxMonitors) {
      return fail(Error{ErrorCode::kExhausted, "monitors", "the pool has as many as it can hold"});
    }
    const bool taken = std::any_of(all.begin(), all.end(),
                                   [&](const store::Monitor& m) { return m.name == name; });
    if (taken) return fail(Error{ErrorCode::kExists, "name", name + " is registered already"});
    return store::insert_monitor(tx, out.monitor, sha256_hex(out.token));
  };
  TRY(db_.write(insert));
  changed_();
  return out;
}

Result<std::vector<store::Monitor>> Registry::monitors() const {
  std::vector<store::Monitor> out;
  const auto list = [&](store::Tx& tx) -> Result<void> {
    out = TRY(store::list_monitors(tx));
    return {};
  };
  TRY(db_.read(list));
  return out;
}

Result<std::optional<store::Monitor>> Registry::monitor_of_token(std::string_view token) const {
  std::optional<store::Monitor> out;
  if (token.empty() || token.size() > 256) return out;
  const std::string hash = sha256_hex(token);
  const auto find = [&](store::Tx& tx) -> Result<void> {
    out = TRY(store::find_monitor_by_token(tx, hash));
    return {};
  };
  TRY(db_.read(find));
  return out;
}

}  // namespace timepool::service
