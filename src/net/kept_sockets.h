// KeptSockets: server sockets that systemd keeps over a restart of the daemon, or gives it at its
// start (socket activation). Main thread only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/inherited_sockets.h"
#include "sys/log.h"

namespace timepool::net {

class KeptSockets {
 public:
  // They are kept as "`prefix`0", "`prefix`1" and so on: systemd gives them back in any order.
  explicit KeptSockets(std::string prefix) : prefix_(std::move(prefix)) {}

  // Those that this process was given, once. What is no socket of a server is closed.
  void take(InheritedSockets& sockets, sys::Logger& logger);
  // A process before kept `count` of them, or more than are known here.
  void note_kept(std::size_t count) { kept_ = kept_ > count ? kept_ : count; }
  // These from now on instead of what was kept before.
  void keep(const std::vector<int>& descriptors);

 private:
  std::string name_of(std::size_t index) const { return prefix_ + std::to_string(index); }
  // The place that a name says; nothing for what is not ours.
  std::optional<std::size_t> index_of(std::string_view name) const;

  std::string prefix_;
  std::size_t kept_ = 0;
};

}  // namespace timepool::net
