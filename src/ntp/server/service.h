// Service: all that a server answers by. An immutable value that the main loop makes and publishes,
// and of which each worker takes the newest once a batch. What is large lies behind a pointer that
// the next value shares when it did not change; an empty pointer means that the feature is off.
#pragma once

#include <memory>

#include "ntp/server/access_list.h"
#include "ntp/server/rate_limiter.h"
#include "ntp/server/server_state.h"
#include "ntp/server/symmetric_key.h"
#include "nts/cookie_keys.h"

namespace timepool::ntp {

struct Service {
  ServerState state;
  std::shared_ptr<const AccessList> access = nullptr;  // empty: everybody is served
  LimitSettings limits = {};
  // Without them the MAC of a request says nothing, and it is answered without one.
  std::shared_ptr<const KeyRing> keys = {};
  // Without them the fields of NTS say nothing.
  std::shared_ptr<const nts::CookieKeys> cookies = {};
};

}  // namespace timepool::ntp
