// SessionSaver: keeps the sessions of NTS where a later run finds them, so that after a crash at
// any moment no cookie is sent a second time and none of what is left is lost (RFC 8915 5.7;
// docs/adr/0038). Pure: the disk is the caller's.
//
// On the disk are the newest kKept cookies of each session. Those are sent last: as long as answers
// bring others, nothing is written but what kRefresh says. When one of them must be sent, the disk
// is written without it before.
#pragma once

#include <vector>

#include "ntp/source_set.h"

namespace timepool::ntp {

class SessionStore {
 public:
  virtual ~SessionStore() = default;
  // `saved` takes the place of what is there. False: there may be either.
  [[nodiscard]] virtual bool write(const nts::SavedSessions& saved) = 0;
  // Nothing is there any more. False: there may be what was.
  [[nodiscard]] virtual bool remove() = 0;
};

class SessionSaver {
 public:
  // One can be lost on the way without another key establishment after a crash.
  static constexpr std::size_t kKept = 2;
  // Servers change their keys, a few times a day at most, and cookies get old.
  static constexpr Duration kRefresh = Duration::seconds(3600);
  // After one of those on the disk was sent: its answer brings others, if there is one.
  static constexpr Duration kRefreshSoon = Duration::milliseconds(500);
  // While there are fewer on the disk than kKept, twice as long each time until this: an answer may
  // come late, or not at all.
  static constexpr Duration kRefreshFew = Duration::seconds(64);

  // Before each time that an Outbox is carried out, with what it asks for. Gives the associations
  // whose requests may not be sent: their cookies are on a disk that can't be changed, and lost.
  std::vector<AssociationId> before(const Outbox& out, SourceSet& sources, SessionStore& store,
                                    MonoTime now, UnixTime clock);
  // Before the program ends: all cookies. Nothing may be sent after it.
  void end(const SourceSet& sources, SessionStore& store, MonoTime now, UnixTime clock);
  std::uint64_t writes() const { return writes_; }

 private:
  bool is_due(const Outbox& out, const SourceSet& sources, MonoTime now) const;
  Duration next_refresh(bool owes_write, bool few);

  std::uint64_t seen_ = 0;  // SourceSet::session_changes()
  MonoTime refresh_;
  Duration few_wait_ = kRefreshSoon;  // until the disk is looked at again that has few
  std::uint64_t writes_ = 0;
};

}  // namespace timepool::ntp
