#include "dnsd/zone_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace timepool::dnsd {
namespace {

bool is_regular(const struct stat& status) {
  return S_ISREG(status.st_mode);
}

}  // namespace

ZoneDirectory::Stamp ZoneDirectory::stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !is_regular(status)) return {};
  return {status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec,
          status.st_ctim.tv_nsec,
          static_cast<std::uint64_t>(status.st_size),
          static_cast<std::uint64_t>(status.st_ino)};
}

bool ZoneDirectory::includes_changed(const File& file) {
  return std::any_of(file.includes.begin(), file.includes.end(), [](const Include& include) {
    return !(stamp_of(include.path) == include.stamp);
  });
}

Result<std::map<std::string, ZoneDirectory::Stamp>> ZoneDirectory::list() const {
  std::map<std::string, Stamp> out;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!zone_file_name(name)) continue;
    const Stamp stamp = stamp_of(entry->path().string());
    if (stamp.inode != 0) out[name] = stamp;
  }
  if (error) {
    return fail(system_error(error.value(), "[zones] directory: read " + path_));
  }
  return out;
}

void ZoneDirectory::read(const std::string& name, File& file, Scan& out) const {
  const std::string path = path_ + "/" + name;
  const auto refuse = [&](std::string problem) {
    if (problem != file.problem) out.problems.push_back(problem);
    file.problem = std::move(problem);
  };
  file.includes.clear();
  auto read = read_zone_file(path_, name, static_cast<std::uint32_t>(file.stamp.seconds),
                             [&file](const std::string& included) {
                               file.includes.push_back({included, stamp_of(included)});
                             });
  if (!read.ok()) {
    // Gone between the look and the read: the next scan sees that.
    if (read.error().code != ErrorCode::kNotFound) refuse(read.error().text());
    return;
  }
  // A file written anew with the same text is the same zone.
  if (file.zone != nullptr && file.problem.empty() && file.text == read->text) return;
  for (const std::string& warning : read->zone.warnings) {
    out.warnings.push_back(path + ": " + warning);
  }
  file.problem.clear();
  file.text = std::move(read->text);
  file.zone = std::make_shared<const dns::Zone>(std::move(read->zone));
  out.loaded.push_back(path);
  out.changed = true;
}

bool ZoneDirectory::must_read(File& file, const Stamp& stamp, bool added) const {
  const bool same = !added && file.stamp == stamp && !includes_changed(file);
  if (same) {
    // Back to what it was, or never changed.
    file.unsettled.reset();
    return false;
  }
  const bool settles = file.zone != nullptr && file.zone->plain;
  if (settles && file.unsettled != stamp) {
    file.unsettled = stamp;
    return false;
  }
  file.unsettled.reset();
  return true;
}

// One zone in two files: the first by name counts, and the other is a problem.
void ZoneDirectory::find_twins(Scan& out) {
  std::map<std::string, std::string> first;
  for (auto& [name, file] : files_) {
    const auto [at, added] = first.try_emplace(file.origin, name);
    const std::string twin = added ? std::string() : at->second;
    if (twin == file.twin) continue;
    file.twin = twin;
    out.changed = true;
    if (!twin.empty()) {
      out.problems.push_back(path_ + "/" + name + ": its zone is that of " + twin + " too");
    }
  }
}

Result<ZoneDirectory::Scan> ZoneDirectory::scan() {
  Scan out;
  if (path_.empty()) return out;
  const auto there = TRY(list());
  for (auto at = files_.begin(); at != files_.end();) {
    if (there.contains(at->first)) {
      ++at;
      continue;
    }
    out.removed.push_back(path_ + "/" + at->first);
    out.changed = out.changed || at->second.zone != nullptr;
    at = files_.erase(at);
  }
  for (const auto& [name, stamp] : there) {
    const auto [at, added] = files_.try_emplace(name);
    if (added) at->second.origin = zone_file_name(name)->origin;
    if (!must_read(at->second, stamp, added)) continue;
    at->second.stamp = stamp;
    read(name, at->second, out);
  }
  find_twins(out);
  return out;
}

std::vector<LoadedZone> ZoneDirectory::zones() const {
  std::vector<LoadedZone> out;
  for (const auto& [name, file] : files_) {
    if (file.zone != nullptr && file.twin.empty()) out.push_back({file.zone, path_ + "/" + name});
  }
  return out;
}

std::vector<std::string> ZoneDirectory::problems() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : files_) {
    if (!file.problem.empty()) out.push_back(file.problem);
    if (!file.twin.empty()) {
      out.push_back(path_ + "/" + name + ": its zone is that of " + file.twin + " too");
    }
  }
  return out;
}

}  // namespace timepool::dnsd
