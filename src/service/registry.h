// Registry: who is in the pool: servers are registered, changed and removed, monitors are
// registered. Every method may be called from any thread and returns when its change is durable.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "service/settings.h"
#include "service/views.h"
#include "store/db.h"

namespace timepool::service {

// The country of an address as two lower-case letters, or "": the GeoIP data.
using CountryOf = std::function<std::string(const IpAddress&)>;

inline constexpr std::size_t kMaxServers = 100'000;
inline constexpr std::size_t kMaxMonitors = 1'000;

class Registry {
 public:
  // `changed` is called after each change of who is there or of what is published, and
  // `name_changed` besides when a server that goes takes its name along.
  Registry(store::Db& db, const Settings& settings, CountryOf country_of, UnixClock now,
           std::function<void()> changed, std::function<void()> name_changed);

  // Errors: kInvalid beginning with the field's name, kExists.
  Result<ServerView> add_server(const NewServer& in);
  // Errors: kInvalid, kNotFound.
  Result<ServerView> change_server(std::string_view address, const ServerChange& change);
  Result<void> remove_server(std::string_view address);
  Result<std::vector<ServerView>> servers() const;
  Result<ServerView> view(std::string_view address) const;
  // With the last `history` entries of its score and of its NTS.
  Result<ServerDetail> server(std::string_view address, std::int64_t history) const;

  // Errors: kInvalid, kExists when the name is taken.
  Result<NewMonitor> add_monitor(const std::string& name, const std::string& address);
  Result<std::vector<store::Monitor>> monitors() const;
  // None when no monitor has the token.
  Result<std::optional<store::Monitor>> monitor_of_token(std::string_view token) const;

  // What is published of a server.
  static pool::Candidate candidate_of(const store::Server& server);

 private:
  ServerView view_of(store::Server server) const;
  // With what is known of its name.
  Result<ServerView> view_of(store::Tx& tx, store::Server server) const;
  Result<std::uint32_t> checked_netspeed(std::uint32_t netspeed) const;
  Result<IpAddress> checked_address(const std::string& text) const;

  store::Db& db_;
  const Settings& settings_;
  CountryOf country_of_;
  UnixClock now_;
  std::function<void()> changed_;
  std::function<void()> name_changed_;
};

}  // namespace timepool::service
