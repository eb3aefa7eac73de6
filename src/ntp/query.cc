#include "ntp/query.h"

#include "base/check.h"

namespace timepool::ntp {

Bytes Query::start(LocalTime now, RandomStream& random) {
  ByteWriter writer(request_);
  CHECK(exchange_.start(now, random, authenticator_, writer));
  return writer.written();
}

Reply Query::handle_datagram(const ReplyRx& rx, Bytes datagram) {
  return exchange_.handle_datagram(rx, datagram, authenticator_);
}

}  // namespace timepool::ntp
