#include "ntp/members.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {

Member* Members::find(AssociationId id) {
  const auto found = std::find_if(all_.begin(), all_.end(),
                                  [id](const Member& member) { return member.id == id; });
  return found == all_.end() ? nullptr : &*found;
}

bool Members::uses(const Endpoint& server) const {
  return std::any_of(all_.begin(), all_.end(), [&](const Member& member) {
    return member.association != nullptr && member.association->server() == server;
  });
}

std::size_t Members::count_of(SourceId source) const {
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(),
      [source](const Member& member) { return member.source == source && member.beside == 0; }));
}

bool Members::has_beside(AssociationId id) const {
  return std::any_of(all_.begin(), all_.end(),
                     [id](const Member& member) { return member.beside == id; });
}

void Members::add(Member member) {
  CHECK(!full());
  all_.push_back(std::move(member));
}

void Members::remove(AssociationId id) {
  std::erase_if(all_, [id](const Member& member) { return member.id == id; });
}

}  // namespace timepool::ntp
