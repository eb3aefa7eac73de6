// What a reason to reject a datagram means to the people who run the machine, and what they can do
// (RFC 8633 3.5 and 5.3). Words only.
#pragma once

#include <string_view>

#include "ntp/reply_reason.h"
#include "ntp/server/responder.h"

namespace timepool::ntpd {

struct Advice {
  // Whether one is enough to be told of: it is what an attack, or a broken server, looks like.
  bool concern = false;
  std::string_view meaning;
  std::string_view action;
};

Advice advice_on(ntp::ReplyReason reason);
Advice advice_on(ntp::Reason reason);

}  // namespace timepool::ntpd
