// FakeDns: names whose addresses and SRV records change as time goes by.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "ntp/service.h"

namespace timepool::sim {

// What DNS has of a pool's servers.
struct DnsServices {
  ntp::ServiceAnswer answer;
  bool bad_dates = false;  // its signatures are over: bogus for who looks at dates
};

class FakeDns {
 public:
  // From `from` (time since the start) on the name has these addresses; none is a failing look-up.
  void set(const std::string& name, Duration from, std::vector<IpAddress> addresses);
  // The addresses at this time; none for a name that is not known.
  std::vector<IpAddress> lookup(const std::string& name, Duration elapsed) const;
  // From `from` on DNS proves that the name has no address.
  void remove(const std::string& name, Duration from) { gone_[name] = from; }
  bool is_gone(const std::string& name, Duration elapsed) const;
  // The same of SRV records; a failing look-up for a pool that is not known.
  void set_services(const std::string& pool, Duration from, DnsServices services);
  DnsServices services(const std::string& pool, Duration elapsed) const;

 private:
  std::map<std::string, std::map<Duration, std::vector<IpAddress>>> names_;
  std::map<std::string, Duration> gone_;
  std::map<std::string, std::map<Duration, DnsServices>> services_;
};

}  // namespace timepool::sim
