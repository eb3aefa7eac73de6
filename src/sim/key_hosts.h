// KeyHosts: key establishments in the simulated world: TCP and TLS as a few round trips that
// succeed or fail, and what a server gives. Who is at an address answers for the names of its
// certificate.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "ntp/nts_source.h"
#include "sim/network.h"

namespace timepool::sim {

class ServerActor;

class KeyHosts {
 public:
  using Done = std::function<void(const ntp::EstablishmentResult&)>;

  KeyHosts(World& world, Network& network) : world_(world), network_(network) {}

  void attach(const IpAddress& address, ServerActor& server) { servers_[address] = &server; }
  // A client wants keys of `name` at this address. `done` is called once, later.
  void establish(const std::string& name, const IpAddress& address, const nts::DateRule& dates,
                 Done done);

 private:
  World& world_;
  Network& network_;
  std::map<IpAddress, ServerActor*> servers_;
};

}  // namespace timepool::sim
