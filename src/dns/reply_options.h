// OPT of a reply: which options a query gets, how much room they take, and their bytes.
#pragma once

#include <cstddef>

#include "dns/asked.h"
#include "dns/reply.h"

namespace timepool::dns {

// Lives as long as what it was made of.
class ReplyOptions {
 public:
  explicit ReplyOptions(const Asked& asked);

  // Of the whole OPT record, 0 for a query without one. An extended error is beside it.
  std::size_t size() const { return size_; }
  // Answers that are encrypted become a multiple of it when the query asks (RFC 8467 4.1).
  static constexpr std::size_t kPaddedBlock = 468;

  // Writes OPT to `out`, with `reply`'s code, extended error and padding, if there is room; at
  // most `room` bytes, which is size() at the least. Returns how many there are.
  std::size_t write(const Reply& reply, std::size_t room, MutableBytes out) const;

 private:
  bool wants_nsid() const {
    return asked_.query.edns->nsid && !asked_.served.settings.identity.empty();
  }
  bool wants_keepalive() const {
    return asked_.query.edns->keepalive && asked_.rx.tcp &&
           (asked_.rx.keepalive || asked_.served.settings.tcp_keepalive != 0);
  }
  std::uint16_t keepalive() const {
    return asked_.rx.keepalive.value_or(asked_.served.settings.tcp_keepalive);
  }
  // Of the padding option, with its head, behind an OPT of `size`; 0: none.
  std::size_t padding(const Reply& reply, std::size_t size, std::size_t room) const;

  const Asked& asked_;
  std::size_t size_ = 0;
};

}  // namespace timepool::dns
