// Network: carries datagrams between nodes over links that delay, lose, copy and reorder them. Each
// server has one link to everybody else; the link's way forth is towards the server.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/ip.h"
#include "base/prng.h"
#include "sim/world.h"

namespace timepool::sim {

// From and until, as time since the world's start.
struct Window {
  Duration from;
  Duration until;
  bool contains(Duration elapsed) const { return elapsed >= from && elapsed < until; }
};

struct LinkConfig {
  Duration delay = Duration::milliseconds(10);    // one way, the least
  Duration jitter = Duration::microseconds(500);  // mean of an exponential addition
  Duration asymmetry;                             // way forth less way back
  double loss = 0;                                // probability, each way
  double duplicate = 0;                           // each way
  double reorder = 0;                             // held back for four times the delay
  std::vector<Window> partitions;                 // nothing passes
};

struct Datagram {
  std::uint64_t id = 0;     // of this sending; copies share it
  std::uint64_t cause = 0;  // id of the request that an honest server answers; 0 for all else
  Endpoint from;
  Endpoint to;
  std::vector<std::byte> bytes;
};

class Node {
 public:
  virtual ~Node() = default;
  virtual void handle_datagram(const Datagram& datagram) = 0;
};

class Network {
 public:
  explicit Network(World& world) : world_(world), prng_(world.random("network")) {}

  void attach(const IpAddress& address, Node& node) { nodes_[address] = &node; }
  void link(const IpAddress& server, const LinkConfig& config) { links_[server] = config; }
  // Whether anything passes on the way to this server now, loss apart; and the least time of a way.
  bool passes(const IpAddress& server) const;
  Duration delay_to(const IpAddress& server) const;
  // Gives it an id, which is returned, and sends it.
  std::uint64_t send(Datagram datagram);

 private:
  static bool is_cut(const LinkConfig& link, Duration elapsed);
  Duration transit(const LinkConfig& link, bool forth);
  void deliver(const LinkConfig& link, bool forth, const Datagram& datagram);

  World& world_;
  Prng prng_;
  std::map<IpAddress, Node*> nodes_;
  std::map<IpAddress, LinkConfig> links_;
  std::uint64_t next_id_ = 1;
};

}  // namespace timepool::sim
