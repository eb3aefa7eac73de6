#include "ntp/session_saver.h"

#include <algorithm>

namespace timepool::ntp {
namespace {

bool has_few(const nts::SavedSessions& saved) {
  return std::any_of(saved.sessions.begin(), saved.sessions.end(), [](const nts::SavedSession& it) {
    return it.keys.cookies.size() < SessionSaver::kKept;
  });
}

}  // namespace

// An attempt is written down before it is made, so that a program that crashes at once and is
// started anew keeps to RFC 8915 4.2.
bool SessionSaver::is_due(const Outbox& out, const SourceSet& sources, MonoTime now) const {
  if (sources.owes_write() || !out.establishes.empty()) return true;
  if (sources.session_changes() != seen_) return true;
  return writes_ > 0 && now >= refresh_;
}

Duration SessionSaver::next_refresh(bool owes_write, bool few) {
  if (owes_write || !few) few_wait_ = kRefreshSoon;
  if (owes_write) return kRefreshSoon;
  if (!few) return kRefresh;
  few_wait_ = std::min(few_wait_ + few_wait_, kRefreshFew);
  return few_wait_;
}

std::vector<AssociationId> SessionSaver::before(const Outbox& out, SourceSet& sources,
                                                SessionStore& store, MonoTime now, UnixTime clock) {
  if (!is_due(out, sources, now)) return {};
  const nts::SavedSessions saved = sources.sessions(now, clock, kKept);
  refresh_ = now + next_refresh(sources.owes_write(), has_few(saved));
  seen_ = sources.session_changes();
  ++writes_;
  if (store.write(saved)) {
    sources.set_written(kKept);
    return {};
  }
  if (store.remove()) {
    sources.set_written(0);
    return {};
  }
  if (!sources.owes_write()) return {};
  std::vector<AssociationId> unsendable;
  for (const SendAction& send : out.sends) {
    if (sources.owes_write(send.association)) unsendable.push_back(send.association);
  }
  sources.lose_written();
  return unsendable;
}

void SessionSaver::end(const SourceSet& sources, SessionStore& store, MonoTime now,
                       UnixTime clock) {
  const nts::SavedSessions saved = sources.sessions(now, clock, nts::kMaxCookies);
  if (saved.sessions.empty() && saved.retries.empty() && writes_ == 0) return;
  ++writes_;
  // What is there otherwise was never sent.
  static_cast<void>(store.write(saved));
}

}  // namespace timepool::ntp
