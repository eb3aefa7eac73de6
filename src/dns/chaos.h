// Names of class CHAOS: what software this is, and which of several (RFC 4892 and its elders).
#pragma once

#include "dns/asked.h"
#include "dns/reason.h"
#include "dns/reply.h"

namespace timepool::dns {

// For a query of that class: version.bind, version.server, id.server and hostname.bind, as far as
// the settings have texts for them; everything else is refused.
Reason answer_chaos(const Asked& asked, Reply& reply);

}  // namespace timepool::dns
