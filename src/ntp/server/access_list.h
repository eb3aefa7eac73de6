// AccessList: who is served. Prefixes are allowed or denied, the most specific that holds an
// address decides, and one that is both is denied. An address in none is served unless there is a
// prefix that is allowed. Interfaces may have rules of their own, which then hold instead.
// Immutable; any number of threads may read it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ntp/server/prefix_tree.h"

namespace timepool::ntp {

class AccessRules {
 public:
  // Everybody.
  AccessRules() : tree_(kServed) {}
  static Result<AccessRules, PrefixTreeFault> build(std::span<const Prefix> allow,
                                                    std::span<const Prefix> deny);

  bool serves(const IpAddress& address) const { return tree_.find(address) == kServed; }
  // How many prefixes it was made from.
  std::size_t size() const { return size_; }
  const PrefixTree& tree() const { return tree_; }

 private:
  static constexpr std::uint32_t kDenied = 0;
  static constexpr std::uint32_t kServed = 1;

  PrefixTree tree_;
  std::size_t size_ = 0;
};

class AccessList {
 public:
  // Interfaces with rules of their own: they are looked for one by one.
  static constexpr std::size_t kMaxInterfaces = 64;

  struct Interface {
    std::uint32_t index = 0;  // the system's; 0: it is not there now
    std::shared_ptr<const AccessRules> rules;
  };

  // CHECKs that no rules are null and that there are no more than kMaxInterfaces.
  AccessList(std::shared_ptr<const AccessRules> general, std::vector<Interface> interfaces);

  // Whether a datagram from `address` that came by `interface` (its index; 0: not known) is served.
  bool serves(const IpAddress& address, std::uint32_t interface) const {
    for (const Interface& it : interfaces_) {
      if (it.index == interface && interface != 0) return it.rules->serves(address);
    }
    return general_->serves(address);
  }

 private:
  std::shared_ptr<const AccessRules> general_;
  std::vector<Interface> interfaces_;
};

}  // namespace timepool::ntp
