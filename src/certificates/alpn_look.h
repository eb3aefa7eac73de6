// A look at one challenge of TLS-ALPN-01 as an authority has it (RFC 8737 3), put into words. For
// self_check.cc.
#pragma once

#include "certificates/self_check.h"

namespace timepool::certificates {

// `challenge` is of a host's name. `cancel_fd`: ends the look once it can be read.
SelfCheck look_by_tls(const acme::Challenge& challenge, const SelfCheckSettings& settings,
                      int cancel_fd);

}  // namespace timepool::certificates
