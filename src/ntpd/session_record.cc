#include "ntpd/session_record.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "sys/clock.h"
#include "sys/file.h"
#include "sys/secret_file.h"

namespace timepool::ntpd {

SessionRecord::SessionRecord(std::string path, sys::Logger& logger)
    : path_(std::move(path)), logger_(logger) {}

void SessionRecord::load(ntp::SourceSet& sources,
                         const std::vector<ntp::SourceConfig>& configured) {
  const bool wanted =
      std::any_of(configured.begin(), configured.end(),
                  [](const ntp::SourceConfig& source) { return source.nts.required; });
  if (path_.empty() || !wanted) return;
  const Result<std::string> bytes = sys::read_secret_file(path_, nts::kMaxSavedSessionsBytes);
  if (!bytes.ok()) {
    if (bytes.error().code != ErrorCode::kNotFound) logger_.warning("{}", bytes.error().text());
    return;
  }
  auto parsed = nts::parse_sessions(std::as_bytes(std::span(*bytes)));
  if (!parsed.ok()) {
    logger_.warning("{}: {}; keys are established anew", path_, name_of(parsed.error()));
    return;
  }
  logger_.info("going on with the NTS keys of {} servers from {}", parsed->sessions.size(), path_);
  sources.set_sessions(std::move(parsed).value(), sys::mono_now(), sys::unix_now());
}

std::vector<ntp::AssociationId> SessionRecord::before(const ntp::Outbox& out,
                                                      ntp::SourceSet& sources) {
  if (path_.empty()) return {};
  return saver_.before(out, sources, *this, sys::mono_now(), sys::unix_now());
}

void SessionRecord::save(const ntp::SourceSet& sources) {
  if (path_.empty()) return;
  saver_.end(sources, *this, sys::mono_now(), sys::unix_now());
}

bool SessionRecord::write(const nts::SavedSessions& saved) {
  const Result<void> written = sys::write_state_file(path_, format_sessions(saved));
  if (!written.ok() && !std::exchange(told_, true)) {
    logger_.error("{}; a crash will cost a key establishment of each NTS source",
                  written.error().text());
  }
  if (written.ok()) told_ = false;
  return written.ok();
}

bool SessionRecord::remove() {
  std::error_code error;
  std::filesystem::remove(path_, error);
  if (error) logger_.error("{} can't be removed: {}", path_, error.message());
  return !error;
}

}  // namespace timepool::ntpd
