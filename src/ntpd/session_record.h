// SessionRecord: the keys and cookies of the NTS sources on disk (nts/saved_sessions.h), so that a
// restart needs no key establishment, after a crash neither, and no cookie is ever sent twice (RFC
// 8915 5.7; ntp/session_saver.h). The file is for its owner alone. Main thread only.
#pragma once

#include <string>
#include <vector>

#include "ntp/session_saver.h"
#include "sys/log.h"

namespace timepool::ntpd {

class SessionRecord final : ntp::SessionStore {
 public:
  // `path` empty: nothing is kept.
  SessionRecord(std::string path, sys::Logger& logger);

  // Before the sources are added; what they are says whether there is anything to load. What can't
  // be used is left, with a message that says why.
  void load(ntp::SourceSet& sources, const std::vector<ntp::SourceConfig>& configured);
  // See ntp::SessionSaver.
  std::vector<ntp::AssociationId> before(const ntp::Outbox& out, ntp::SourceSet& sources);
  // Before the program ends. Nothing may be sent after it.
  void save(const ntp::SourceSet& sources);

 private:
  bool write(const nts::SavedSessions& saved) override;
  bool remove() override;

  std::string path_;
  sys::Logger& logger_;
  ntp::SessionSaver saver_;
  bool told_ = false;  // that it can't be written
};

}  // namespace timepool::ntpd
