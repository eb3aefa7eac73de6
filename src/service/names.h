// Names: which server has which name for NTS. A name belongs to its owner (owner_of), several of
// whose servers may have it, and is nobody else's until long after the last of them gave it up:
// until no certificate for it is good any more. Every method may be called from any thread and
// returns when its change is durable.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/nts_zone.h"
#include "service/settings.h"
#include "service/views.h"
#include "store/db.h"
#include "store/names.h"
#include "store/servers.h"

namespace timepool::service {

struct NewName {
  std::string name;  // a label, or a whole name outside the pool
  std::optional<std::uint16_t> port;
  // Of the member's accounts at authorities (RFC 8657 3); none: any account may order.
  std::vector<std::string> account_uris;
};

inline constexpr std::size_t kMaxAccountUris = 4;
inline constexpr std::size_t kMaxAccountUri = 255;

class Names {
 public:
  // `changed` is called after each change.
  Names(store::Db& db, const Settings& settings, UnixClock now, std::function<void()> changed)
      : db_(db), settings_(settings), now_(std::move(now)), changed_(std::move(changed)) {}

  // The server has the name from now on, in place of one that it had. A new name or port waits to
  // be confirmed. Errors: kInvalid beginning with the field's name, kNotFound, kExists when the
  // name is another's or was until lately, kExhausted.
  Result<void> set(std::string_view address, const NewName& in);
  // The name is gone, or one server less has it. Errors: kNotFound.
  Result<void> remove(std::string_view address);

 private:
  Result<std::string> checked_name(const std::string& name) const;
  Result<void> take(store::Tx& tx, const store::Server& server, const std::string& name,
                    UnixTime now) const;
  Result<std::uint16_t> port_of(store::Tx& tx, std::int64_t server, const std::string& name,
                                const std::optional<std::uint16_t>& port) const;

  store::Db& db_;
  const Settings& settings_;
  UnixClock now_;
  std::function<void()> changed_;
};

// Whose the server is: the owner that the administration gave it, else its registration.
std::string owner_of(const store::Server& server);
// The name as it stands in DNS.
std::string full_name(std::string_view name, const Settings& settings);
// The server, which is about to be removed or to get another name, gives up the one that it has.
Result<void> release_name(store::Tx& tx, std::int64_t server, UnixTime now);
bool has_name(const store::NtsServer& server);

// Each name that some of `servers` have, for the zone. `candidates`: as many as `servers`.
std::vector<pool::NamedServer> named_servers(const std::vector<store::Server>& servers,
                                             const std::vector<pool::Candidate>& candidates,
                                             const std::vector<store::NtsServer>& names,
                                             const Settings& settings);

}  // namespace timepool::service
