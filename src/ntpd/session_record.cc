#include "ntpd/session_record.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include "sys/clock.h"
#include "sys/file.h"
#include "sys/secret_file.h"

namespace timepool::ntpd {
namespace {

constexpr const char* kFile = "nts-sessions.bin";

}  // namespace

SessionRecord::SessionRecord(const std::string& directory, sys::Logger& logger)
    : path_(directory.empty() ? "" : directory + "/" + kFile), logger_(logger) {}

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
  // Gone before any of it is sent: a file that can't be removed is not used.
  std::error_code error;
  if (!std::filesystem::remove(path_, error) || error) {
    logger_.warning("{} can't be removed ({}), so its cookies are not used", path_,
                    error.message());
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

void SessionRecord::save(const ntp::SourceSet& sources) const {
  if (path_.empty()) return;
  const nts::SavedSessions saved = sources.sessions(sys::mono_now(), sys::unix_now());
  if (saved.sessions.empty() && saved.retries.empty()) return;
  const std::vector<std::byte> bytes = format_sessions(saved);
  Result<void> written = sys::make_directories(sys::directory_of(path_));
  if (written.ok()) {
    written = sys::write_file_atomic(
        path_, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()), 0600);
  }
  if (!written.ok()) logger_.warning("{}", written.error().text());
}

}  // namespace timepool::ntpd
