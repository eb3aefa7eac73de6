#include "service/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pool/server_name.h"

namespace timepool::service {
namespace {

Error invalid(std::string field, std::string_view why) {
  return {ErrorCode::kInvalid, std::move(field), std::string(why)};
}

// RFC 8657 3: what a parameter's value may have; and nothing that a text of a zone would quote.
bool is_account_uri(std::string_view uri) {
  const auto allowed = [](char c) {
    return c > 0x20 && c < 0x7f && c != ';' && c != '"' && c != '\\';
  };
  return (uri.starts_with("https://") || uri.starts_with("http://")) &&
         uri.size() <= kMaxAccountUri && std::all_of(uri.begin(), uri.end(), allowed);
}

Result<std::vector<std::string>> checked_uris(const std::vector<std::string>& uris) {
  if (uris.size() > kMaxAccountUris) {
    return fail(invalid("account_uris", fmt::format("expected at most {}", kMaxAccountUris)));
  }
  std::vector<std::string> out;
  for (const std::string& uri : uris) {
    if (!is_account_uri(uri)) {
      return fail(invalid("account_uris",
                          "expected URLs of accounts without spaces, quotation marks and ';'"));
    }
    if (std::find(out.begin(), out.end(), uri) == out.end()) out.push_back(uri);
  }
  return out;
}

Result<store::Server> server_of(store::Tx& tx, std::string_view address) {
  const auto parsed = parse_ip(address);
  if (parsed.ok()) {
    auto found = TRY(store::find_server(tx, parsed->unmapped()));
    if (found) return std::move(*found);
  }
  return fail(Error{ErrorCode::kNotFound, "server " + std::string(address.substr(0, 64)),
                    "is not registered"});
}

Result<void> log_change(store::Tx& tx, const store::NtsServer& server) {
  return store::insert_nts_change(
      tx, {server.server_id, server.since, server.name, server.state, server.reason});
}

}  // namespace

bool has_name(const store::NtsServer& server) {
  return server.state != store::kRemovedState;
}

std::string owner_of(const store::Server& server) {
  return server.owner.empty() ? fmt::format("server:{}", server.id) : server.owner;
}

std::string full_name(std::string_view name, const Settings& settings) {
  if (!pool::is_label(name)) return std::string(name);
  return fmt::format("{}.{}.{}", name, settings.zone.nts.parent, settings.zone.name);
}

Result<void> release_name(store::Tx& tx, std::int64_t server, UnixTime now) {
  auto nts = TRY(store::find_nts_server(tx, server));
  if (!nts || !has_name(*nts)) return {};
  nts->state = store::kRemovedState;
  nts->reason.clear();
  nts->since = now;
  TRY(store::put_nts_server(tx, *nts));
  TRY(store::remove_nts_pairs_of(tx, server));
  TRY(log_change(tx, *nts));
  if (!TRY(store::list_nts_servers_of(tx, nts->name)).empty()) return {};
  auto name = TRY(store::find_name(tx, nts->name));
  if (!name) return {};
  name->removed = now;
  return store::put_name(tx, *name);
}

Result<std::string> Names::checked_name(const std::string& name) const {
  const auto checked = pool::is_label(name) ? pool::check_label(name, settings_.reserved_names)
                                            : pool::check_own_name(name, settings_.zone.name);
  if (!checked.ok()) return fail(invalid("name", pool::explain(checked.error())));
  if (full_name(name, settings_).size() > pool::kMaxServerName) {
    return fail(invalid("name", pool::explain(pool::NameFault::kLength)));
  }
  return name;
}

Result<void> Names::take(store::Tx& tx, const store::Server& server, const std::string& name,
                         UnixTime now) const {
  const auto taken = [](std::string why) {
    return fail(Error{ErrorCode::kExists, "name", std::move(why)});
  };
  const std::string owner = owner_of(server);
  const auto found = TRY(store::find_name(tx, name));
  if (found && found->owner != owner) {
    if (!found->removed) return taken("is another server's");
    const UnixTime free = *found->removed + settings_.name_reuse_after;
    if (now < free) return taken("was another's, and is free from " + format_utc(free, 0));
  }
  if (found && !found->removed) return {};
  return store::put_name(tx, {name, owner, now, std::nullopt});
}

Result<std::uint16_t> Names::port_of(store::Tx& tx, std::int64_t server, const std::string& name,
                                     const std::optional<std::uint16_t>& port) const {
  const auto all = TRY(store::list_nts_servers_of(tx, name));
  std::size_t others = 0;
  std::uint16_t out = port.value_or(pool::kNtskePort);
  for (const store::NtsServer& other : all) {
    if (other.server_id == server) continue;
    if (port && *port != other.port) {
      return fail(invalid(
          "port", fmt::format("is {} at the name's other servers, and all have one", other.port)));
    }
    out = other.port;
    ++others;
  }
  if (others >= pool::kMaxNameAddresses) {
    return fail(Error{ErrorCode::kExhausted, "name",
                      fmt::format("has {} servers, as many as it may", others)});
  }
  return out;
}

Result<void> Names::set(std::string_view address, const NewName& in) {
  const std::string name = TRY(checked_name(in.name));
  const std::vector<std::string> uris = TRY(checked_uris(in.account_uris));
  const auto change = [&](store::Tx& tx) -> Result<void> {
    const UnixTime now = now_();
    const store::Server server = TRY(server_of(tx, address));
    auto before = TRY(store::find_nts_server(tx, server.id));
    const bool same_name = before && has_name(*before) && before->name == name;
    const std::uint16_t port = TRY(port_of(tx, server.id, name, in.port));
    TRY(take(tx, server, name, now));
    if (same_name && before->port == port) {
      before->account_uris = uris;
      return store::put_nts_server(tx, *before);
    }
    if (!same_name) TRY(release_name(tx, server.id, now));
    TRY(store::remove_nts_pairs_of(tx, server.id));
    store::NtsServer next;
    next.server_id = server.id;
    next.name = name;
    next.port = port;
    next.account_uris = uris;
    next.state = pool::name_of(pool::NtsState::kWaiting);
    next.since = now;
    TRY(store::put_nts_server(tx, next));
    return log_change(tx, next);
  };
  TRY(db_.write(change));
  changed_();
  return {};
}

Result<void> Names::remove(std::string_view address) {
  const auto change = [&](store::Tx& tx) -> Result<void> {
    const store::Server server = TRY(server_of(tx, address));
    const auto nts = TRY(store::find_nts_server(tx, server.id));
    if (!nts || !has_name(*nts)) {
      return fail(Error{ErrorCode::kNotFound, "server " + format(server.address), "has no name"});
    }
    return release_name(tx, server.id, now_());
  };
  TRY(db_.write(change));
  changed_();
  return {};
}

std::vector<pool::NamedServer> named_servers(const std::vector<store::Server>& servers,
                                             const std::vector<pool::Candidate>& candidates,
                                             const std::vector<store::NtsServer>& names,
                                             const Settings& settings) {
  std::map<std::int64_t, std::size_t> by_id;
  for (std::size_t i = 0; i < servers.size(); ++i) by_id[servers[i].id] = i;
  std::map<std::string, pool::NamedServer> out;
  for (const store::NtsServer& nts : names) {
    const auto at = by_id.find(nts.server_id);
    if (at == by_id.end() || !has_name(nts)) continue;
    const pool::Candidate& candidate = candidates[at->second];
    const auto [entry, is_new] = out.try_emplace(nts.name);
    pool::NamedServer& named = entry->second;
    const bool good = pool::nts_state_named(nts.state) == pool::NtsState::kConfirmed &&
                      pool::inclusion_of(candidate, settings.zone) == pool::Inclusion::kIncluded;
    named.listed = good && (is_new || named.listed);
    if (is_new) {
      if (pool::is_label(nts.name)) named.label = nts.name;
      named.target = full_name(nts.name, settings);
      named.port = nts.port;
    }
    if (is_new || candidate.netspeed > named.candidate.netspeed) named.candidate = candidate;
    if (named.addresses.size() < pool::kMaxNameAddresses) {
      named.addresses.push_back(candidate.address);
    }
    for (const std::string& uri : nts.account_uris) {
      auto& uris = named.account_uris;
      if (std::find(uris.begin(), uris.end(), uri) == uris.end()) uris.push_back(uri);
    }
  }
  std::vector<pool::NamedServer> list;
  list.reserve(out.size());
  for (auto& [name, named] : out) list.push_back(std::move(named));
  return list;
}

}  // namespace timepool::service
