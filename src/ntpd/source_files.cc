#include "ntpd/source_files.h"

#include <sys/stat.h>

#include <filesystem>

#include "config/ntpd_source.h"
#include "sys/file.h"

namespace timepool::ntpd {
namespace {

// More files are not looked at: each may name several sources, and there can't be more of those.
constexpr std::size_t kMaxFiles = 64;
constexpr std::size_t kMaxFileBytes = 64 << 10;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

void SourceFiles::tell(const std::string& path, const std::string& problem) {
  std::string& told = told_[path];
  if (told == problem) return;
  told = problem;
  if (!problem.empty()) logger_.warning("{}", problem);
}

SourceFiles::Stamps SourceFiles::list(const std::vector<std::string>& directories) {
  Stamps out;
  for (std::size_t i = 0; i < directories.size(); ++i) {
    std::error_code error;
    std::filesystem::directory_iterator it(directories[i], error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      struct stat status{};
      const std::string path = it->path().string();
      // A hidden file is one that is being written.
      if (it->path().extension() != ".toml" || it->path().filename().string()[0] == '.') continue;
      if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      out[{i, path}] = {nanoseconds(status.st_mtim), nanoseconds(status.st_ctim),
                        static_cast<std::uint64_t>(status.st_size),
                        static_cast<std::uint64_t>(status.st_ino)};
    }
    const bool absent = error == std::errc::no_such_file_or_directory;
    tell(directories[i], error && !absent
                             ? "[sources] directories: " + directories[i] + ": " + error.message()
                             : "");
  }
  tell("", out.size() > kMaxFiles ? "[sources] directories: more than " +
                                        std::to_string(kMaxFiles) + " files; the rest is not read"
                                  : "");
  while (out.size() > kMaxFiles) out.erase(std::prev(out.end()));
  return out;
}

bool SourceFiles::look(const std::vector<std::string>& directories) {
  const Stamps now = list(directories);
  bool different = false;
  for (auto it = files_.begin(); it != files_.end();) {
    if (now.contains(it->first)) {
      ++it;
      continue;
    }
    told_.erase(it->first.second);
    different |= it->second.sources != config::NtpSourceFile{};
    it = files_.erase(it);
  }
  for (const auto& [key, stamp] : now) {
    const auto [found, is_new] = files_.try_emplace(key);
    if (!is_new && found->second.stamp == stamp) continue;
    found->second.stamp = stamp;
    different |= read(key.second, found->second);
  }
  return different;
}

// True when it has other sources than before.
bool SourceFiles::read(const std::string& path, File& file) {
  const Result<std::string> text = sys::read_file(path, kMaxFileBytes);
  if (!text.ok()) {
    // Gone between the look and the read: the next look sees that.
    if (text.error().code == ErrorCode::kNotFound) return false;
    file.problem = text.error().text();
    tell(path, file.problem);
    return false;
  }
  auto parsed = config::parse(config::ntp_source_file_schema(), {{path, *text}});
  if (!parsed.ok()) {
    file.problem = config::format(parsed.error());
    tell(path, file.problem);
    return false;
  }
  file.problem.clear();
  tell(path, "");
  const bool different = *parsed != file.sources;
  file.sources = std::move(parsed).value();
  return different;
}

std::vector<config::NtpSourceConfig> SourceFiles::servers() const {
  std::vector<config::NtpSourceConfig> out;
  for (const auto& [key, file] : files_) {
    out.insert(out.end(), file.sources.servers.begin(), file.sources.servers.end());
  }
  return out;
}

std::vector<config::NtpSourceConfig> SourceFiles::pools() const {
  std::vector<config::NtpSourceConfig> out;
  for (const auto& [key, file] : files_) {
    out.insert(out.end(), file.sources.pools.begin(), file.sources.pools.end());
  }
  return out;
}

std::vector<std::string> SourceFiles::problems() const {
  std::vector<std::string> out;
  for (const auto& [key, file] : files_) {
    if (!file.problem.empty()) out.push_back(file.problem);
  }
  return out;
}

}  // namespace timepool::ntpd
