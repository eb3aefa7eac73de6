// The part of the Population that keeps what key establishments gave: from one run to the next
// (docs/adr/0038), and only as long as the certificates hold that they were believed by.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ntp/population.h"

namespace timepool::ntp {

nts::SavedSessions Population::sessions(MonoTime now, UnixTime clock, std::size_t cookies) const {
  nts::SavedSessions out;
  for (const Member& member : members_) {
    const Source* source = sources_.find(member.source);
    if (member.nts == nullptr || source == nullptr) continue;
    const std::optional<nts::Establishment> keys = member.nts->saved(cookies);
    if (!keys) continue;
    out.sessions.push_back({key_server(*source, member.origin), member.server(),
                            clock - (now - member.established), member.certificate, *keys});
  }
  out.sessions.insert(out.sessions.end(), saved_sessions_.begin(), saved_sessions_.end());
  out.retries = establishments_.saved(now, clock);
  return out;
}

void Population::set_sessions(nts::SavedSessions saved, MonoTime now, UnixTime clock) {
  saved_sessions_ = std::move(saved.sessions);
  clock_read_ = now;
  clock_ = clock;
  establishments_.set_saved(saved.retries, now, clock);
}

void Population::set_written(std::size_t cookies) {
  for (Member& member : members_) {
    if (member.nts != nullptr) member.nts->set_written(cookies);
  }
}

bool Population::owes_write() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const Member& it) { return it.nts != nullptr && it.nts->owes_write(); });
}

bool Population::owes_write(AssociationId id) const {
  return std::any_of(members_.begin(), members_.end(), [&](const Member& it) {
    return it.id == id && it.nts != nullptr && it.nts->owes_write();
  });
}

// It says nothing of the network, so it is no failure of sending: new keys are wanted at once.
void Population::lose_written() {
  for (Member& member : members_) {
    if (member.nts == nullptr) continue;
    const bool waits = member.nts->owes_write();
    member.nts->lose_written();
    if (waits) member.association->handle_send_failure(MonoTime::max());
  }
  recovery_due_ = MonoTime();
  saved_sessions_.clear();
}

void Population::judge_certificates(UnixTime time, MonoTime now, Outbox& out) {
  std::vector<AssociationId> refused;
  for (Member& member : members_) {
    if (member.nts == nullptr || member.certificate.judged == nts::DatesJudged::kByAgreed) continue;
    if (member.certificate.hold_at(time)) {
      member.certificate.judged = nts::DatesJudged::kByAgreed;
      ++session_changes_;
    } else {
      refused.push_back(member.id);
    }
  }
  for (const AssociationId id : refused) refuse_certificate(id, now, out);
}

// Its keys prove nothing, so nothing of it is kept. It may have another certificate by now.
void Population::refuse_certificate(AssociationId id, MonoTime now, Outbox& out) {
  const Member& member = *members_.find(id);
  Source* source = sources_.find(member.source);
  CHECK(source != nullptr);
  const IpAddress address = member.origin;
  out.event({EventKind::kCertificate, id, member.server(), member.last_reason()});
  end(id);
  fill_due_ = std::min(fill_due_, now);
  if (source->is_literal()) return want_keys(*source, address);
  source->drop(address, now, DropCause::kUseless);
}

}  // namespace timepool::ntp
