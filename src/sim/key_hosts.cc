#include "sim/key_hosts.h"

#include <utility>

#include "sim/server_actor.h"

namespace timepool::sim {
namespace {

// As the daemon's deadline for all of it.
constexpr Duration kTimeout = Duration::seconds(5);
// TCP, TLS 1.3, request and response: three round trips, and a millisecond of work.
constexpr std::int64_t kWays = 6;
constexpr Duration kWork = Duration::milliseconds(1);

}  // namespace

void KeyHosts::establish(const std::string& name, const IpAddress& address,
                         const nts::DateRule& dates, Done done) {
  const auto found = servers_.find(address);
  ServerActor* server = found == servers_.end() ? nullptr : found->second;
  if (server == nullptr || server->is_down() || !network_.passes(address)) {
    world_.after(kTimeout, [done = std::move(done)] { done({}); });
    return;
  }
  const Duration took = network_.delay_to(address) * kWays + kWork;
  world_.after(took, [server, name, dates, done = std::move(done)] {
    done(server->establish(name, dates));
  });
}

}  // namespace timepool::sim
