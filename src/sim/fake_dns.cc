#include "sim/fake_dns.h"

#include <iterator>
#include <utility>

namespace timepool::sim {

void FakeDns::set(const std::string& name, Duration from, std::vector<IpAddress> addresses) {
  names_[name][from] = std::move(addresses);
}

std::vector<IpAddress> FakeDns::lookup(const std::string& name, Duration elapsed) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return {};
  const auto after = found->second.upper_bound(elapsed);
  return after == found->second.begin() ? std::vector<IpAddress>{} : std::prev(after)->second;
}

bool FakeDns::is_gone(const std::string& name, Duration elapsed) const {
  const auto found = gone_.find(name);
  return found != gone_.end() && elapsed >= found->second;
}

void FakeDns::set_services(const std::string& pool, Duration from, DnsServices services) {
  services_[pool][from] = std::move(services);
}

DnsServices FakeDns::services(const std::string& pool, Duration elapsed) const {
  const auto found = services_.find(pool);
  if (found == services_.end()) return {};
  const auto after = found->second.upper_bound(elapsed);
  return after == found->second.begin() ? DnsServices{} : std::prev(after)->second;
}

}  // namespace timepool::sim
