#include "ntp/server/access_list.h"

#include <utility>

#include "base/check.h"

namespace timepool::ntp {

Result<AccessRules, PrefixTreeFault> AccessRules::build(std::span<const Prefix> allow,
                                                        std::span<const Prefix> deny) {
  std::vector<PrefixTree::Entry> entries;
  entries.reserve(allow.size() + deny.size());
  for (const Prefix& prefix : allow) entries.push_back({prefix, kServed});
  // Behind the allowed ones: of two that are the same the later counts.
  for (const Prefix& prefix : deny) entries.push_back({prefix, kDenied});
  AccessRules out;
  out.tree_ = TRY(PrefixTree::build(entries, allow.empty() ? kServed : kDenied));
  out.size_ = entries.size();
  return out;
}

AccessList::AccessList(std::shared_ptr<const AccessRules> general,
                       std::vector<Interface> interfaces)
    : general_(std::move(general)), interfaces_(std::move(interfaces)) {
  CHECK(general_ != nullptr && interfaces_.size() <= kMaxInterfaces);
  for (const Interface& it : interfaces_) CHECK(it.rules != nullptr);
}

}  // namespace timepool::ntp
