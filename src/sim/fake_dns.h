// FakeDns: names whose addresses change as time goes by.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"

namespace timepool::sim {

class FakeDns {
 public:
  // From `from` (time since the start) on the name has these addresses; none is a failing look-up.
  void set(const std::string& name, Duration from, std::vector<IpAddress> addresses);
  // The addresses at this time; none for a name that is not known.
  std::vector<IpAddress> lookup(const std::string& name, Duration elapsed) const;

 private:
  std::map<std::string, std::map<Duration, std::vector<IpAddress>>> names_;
};

}  // namespace timepool::sim
