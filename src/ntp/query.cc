#include "ntp/query.h"

namespace timepool::ntp {
namespace {

// A difference of the two clocks' advances below this may be the delay between reading one and
// reading the other.
constexpr Duration kReadingSlack = Duration::milliseconds(100);

}  // namespace

Bytes Query::start(LocalTime now, RandomStream& random) {
  started_ = now;
  ByteWriter writer(request_);
  if (!exchange_.start(now, random, authenticator_, writer)) return {};
  return writer.written();
}

Reply Query::handle_datagram(const ReplyRx& rx, Bytes datagram) {
  const Duration step = (rx.now.raw - started_.raw) - (rx.now.mono - started_.mono);
  if (step.abs() > kReadingSlack) exchange_.handle_clock_step();
  return exchange_.handle_datagram(rx, datagram, authenticator_);
}

}  // namespace timepool::ntp
