#include "sim/network.h"

#include <algorithm>

#include "sim/distribution.h"

namespace timepool::sim {

Duration Network::transit(const LinkConfig& link, bool forth) {
  const Duration skew = forth ? link.asymmetry / 2 : -(link.asymmetry / 2);
  Duration out = link.delay + skew + exponential(prng_, link.jitter);
  if (happens(prng_, link.reorder)) out += link.delay * 4;
  return std::max(out, Duration::microseconds(1));
}

void Network::deliver(const LinkConfig& link, bool forth, const Datagram& datagram) {
  world_.after(transit(link, forth), [this, datagram] {
    const auto node = nodes_.find(datagram.to.address);
    if (node == nodes_.end()) {
      world_.trace().add(world_.now(), "nobody there", datagram.id);
      return;
    }
    world_.trace().add(world_.now(), "delivered", datagram.bytes);
    node->second->handle_datagram(datagram);
  });
}

bool Network::is_cut(const LinkConfig& link, Duration elapsed) {
  return std::any_of(link.partitions.begin(), link.partitions.end(),
                     [&](const Window& window) { return window.contains(elapsed); });
}

bool Network::passes(const IpAddress& server) const {
  const auto link = links_.find(server);
  return link != links_.end() && !is_cut(link->second, world_.elapsed());
}

Duration Network::delay_to(const IpAddress& server) const {
  const auto link = links_.find(server);
  return link == links_.end() ? Duration() : link->second.delay;
}

std::uint64_t Network::send(Datagram datagram) {
  datagram.id = next_id_++;
  world_.trace().add(world_.now(), "sent", datagram.bytes);
  const auto towards = links_.find(datagram.to.address);
  const bool forth = towards != links_.end();
  const auto link = forth ? towards : links_.find(datagram.from.address);
  if (link == links_.end()) {
    world_.trace().add(world_.now(), "no route", datagram.id);
    return datagram.id;
  }
  const LinkConfig& config = link->second;
  if (is_cut(config, world_.elapsed()) || happens(prng_, config.loss)) {
    world_.trace().add(world_.now(), "lost", datagram.id);
    return datagram.id;
  }
  deliver(config, forth, datagram);
  if (happens(prng_, config.duplicate)) deliver(config, forth, datagram);
  return datagram.id;
}

}  // namespace timepool::sim
