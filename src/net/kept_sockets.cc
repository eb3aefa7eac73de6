#include "net/kept_sockets.h"

#include <utility>

#include "sys/notify.h"

namespace timepool::net {

std::optional<std::size_t> KeptSockets::index_of(std::string_view name) const {
  if (!name.starts_with(prefix_)) return std::nullopt;
  std::size_t out = 0;
  for (const char c : name.substr(prefix_.size())) {
    if (c < '0' || c > '9' || out >= sys::kMaxGiven) return std::nullopt;
    out = out * 10 + static_cast<std::size_t>(c - '0');
  }
  return out;
}

void KeptSockets::take(InheritedSockets& sockets, sys::Logger& logger) {
  for (sys::GivenDescriptor& given : sys::take_given_descriptors()) {
    const std::optional<std::size_t> index = index_of(given.name);
    if (index) note_kept(*index + 1);
    if (!sockets.add(std::move(given.fd), index.value_or(sys::kMaxGiven))) {
      logger.warning("descriptor \"{}\" of systemd is no socket of a server: closed", given.name);
    }
  }
}

void KeptSockets::keep(const std::vector<int>& descriptors) {
  for (std::size_t i = 0; i < kept_; ++i) sys::notify_drop(name_of(i));
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    sys::notify_keep(descriptors[i], name_of(i));
  }
}

}  // namespace timepool::net
