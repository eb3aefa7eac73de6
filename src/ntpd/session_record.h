// SessionRecord: the keys and cookies of the NTS sources on disk from the end of one run to the
// start of the next (nts/saved_sessions.h), so that a restart needs no key establishment. The file
// is for its owner alone, and removed when it is read: no cookie is ever sent twice (RFC 8915 5.7).
// Main thread only.
#pragma once

#include <string>
#include <vector>

#include "ntp/source_set.h"
#include "sys/log.h"

namespace timepool::ntpd {

class SessionRecord {
 public:
  // `directory` as ClockRecord's; empty: nothing is kept.
  SessionRecord(const std::string& directory, sys::Logger& logger);

  // Before the sources are added; what they are says whether there is anything to load. What can't
  // be used is left, with a message that says why.
  void load(ntp::SourceSet& sources, const std::vector<ntp::SourceConfig>& configured);
  // Before the program ends. Nothing may be sent after it.
  void save(const ntp::SourceSet& sources) const;

 private:
  std::string path_;
  sys::Logger& logger_;
};

}  // namespace timepool::ntpd
