#include "ntp/server/nts_answer.h"

#include "base/check.h"

namespace timepool::ntp {

NtsAnswer::NtsAnswer(const AeadMaker& aeads, RandomSource& random)
    : random_(random), fields_(aeads, random_) {}

std::uint32_t NtsAnswer::write(const nts::Asked& asked, ByteWriter& reply) {
  if (++last_ticket_ == 0) ++last_ticket_;
  Pending& place = pending_[last_ticket_ % kMaxPending];
  place.ticket = last_ticket_;
  place.seal = fields_.write(asked, reply);
  return last_ticket_;
}

void NtsAnswer::finish(std::uint32_t ticket, MutableBytes reply) {
  const Pending& place = pending_[ticket % kMaxPending];
  CHECK(ticket != 0 && place.ticket == ticket);
  fields_.seal(place.seal, reply);
}

bool NtsAnswer::may_nak(MonoTime now) {
  const std::uint64_t ticks = ticks_of(now);
  if (!has_token(nak_moment_, ticks, nak_rate_)) return false;
  nak_moment_ = take_token(nak_moment_, ticks, nak_rate_);
  return true;
}

}  // namespace timepool::ntp
